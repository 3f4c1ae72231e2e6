#!/usr/bin/env python3
"""Leavers on a directory server that we did not write (Samba as Active Directory, OpenLDAP), looked at afterwards by ldapsearch.

    ldap.py --jml JML --server ldap_server.py --kind samba|slapd --dir DIR --port PORT

Okta is the sandbox's twin, the directory is real. What a check rests on is looked at first: if it isn't so, that is said and nothing else
is tried. Exit 77: the server can't be installed here, and why.
"""
import argparse, base64, contextlib, json, os, shutil, subprocess, sys, time
from pathlib import Path

PACKAGES = {
    "samba": "samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind ldap-utils openssl".split(),
    "slapd": "slapd slapd-contrib ldap-utils openssl".split(),
}
NEEDS = {"samba": ["samba", "samba-tool", "ldapsearch", "ldapmodify", "openssl"], "slapd": ["slapd", "ldapsearch", "ldapmodify", "openssl"]}
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
LOCKED = "000001010000Z"
THERE = (20, 68)  # of an addition that is there already: only who may write the attribute is told so
BULK = 1200  # more than a server gives at once
DONE = (0, 12)  # 12: done, and late, since they left the day before yesterday
failed = []


def check(name, ok, saw=""):
    print(f"ok {name}" if ok else f"FAIL {name}: {saw}")
    if not ok:
        failed.append(name)


def install(kind):
    if all(shutil.which(n, path=PATH) for n in NEEDS[kind]):
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    said = ""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for cmd in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES[kind]]):
            out = subprocess.run(cmd, env=env, capture_output=True, text=True)
            said += out.stderr if out.returncode else ""
    missing = [n for n in NEEDS[kind] if not shutil.which(n, path=PATH)]
    if missing:
        print(f"{said[-1000:]}\n{kind}: {', '.join(missing)} missing, and apt-get can't install it here")
        sys.exit(77)


def started(cmd, out, word):
    """A child that has said its word."""
    child = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=out.open("w"), stderr=subprocess.STDOUT)
    for _ in range(4000):
        if word in out.read_text().splitlines():
            return child
        if child.poll() is not None:
            break
        time.sleep(0.1)
    child.kill()
    sys.exit(f"{cmd[0]} did not get ready:\n{out.read_text()[-2000:]}")


class Real:
    """The directory, by the tools that came with it."""

    def __init__(self, known):
        self.known = known
        self.ad = known["profile"] == "ad"
        self.lock = ("userAccountControl", "pwdLastSet") if self.ad else ("pwdAccountLockedTime", "pwdChangedTime")
        self.stamp = self.lock[1].lower()

    def tool(self, name, who, *args, stdin=None):
        auth = {"admin": ("admin_dn", "admin_password"), "jml": ("bind_dn", "bind_password")}[who]
        user, password = (self.known[k] for k in auth)
        return subprocess.run([name, "-x", "-H", self.known["base_url"], "-D", user, "-w", password, *args], input=stdin, text=True,
                              capture_output=True, env={**os.environ, "PATH": PATH, "LDAPTLS_CACERT": self.known["ca"]})

    def entry(self, filter, *names):
        """The one entry that fits: attribute in lower case, its values."""
        out = self.tool("ldapsearch", "admin", "-LLL", "-o", "ldif-wrap=no", "-b", self.known["base_dn"], filter, *names)
        if out.returncode:
            sys.exit(f"ldapsearch {filter}: {out.stderr}")
        seen = {}
        for line in out.stdout.splitlines():
            name, _, value = line.partition(":")
            if name and name != "#" and not line.startswith("# ref"):
                value = base64.b64decode(value[1:]).decode(errors="replace") if value.startswith(":") else value.strip()
                seen.setdefault(name.lower(), []).append(value)
        return seen

    def look(self, login):
        attribute = "sAMAccountName" if self.ad else "uid"
        return self.entry(f"({attribute}={login})", *self.lock, "memberOf", "mail", "adminCount")

    def shut(self, login):
        seen = self.look(login)
        if self.ad:
            return int(seen["useraccountcontrol"][0]) & 2 == 2
        return seen.get("pwdaccountlockedtime") == [LOCKED]

    def open(self):
        """How many accounts are not shut."""
        of = "(objectCategory=person)(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2))" if self.ad else \
            f"(objectClass=inetOrgPerson)(!(pwdAccountLockedTime={LOCKED}))"
        out = self.tool("ldapsearch", "admin", "-LLL", "-E", "pr=500/noprompt", "-b", self.known["base_dn"], f"(&{of})", "1.1")
        if out.returncode:
            sys.exit(f"ldapsearch: {out.stderr}")
        return sum(line.startswith("dn:") for line in out.stdout.splitlines())

    def groups(self, login):
        """Those that jml was told it may change; others it names and leaves."""
        ours = [g for g in self.look(login).get("memberof", []) if g.lower().endswith("," + self.known["groups_dn"].lower())]
        return {g.split(",")[0].split("=")[1] for g in ours}

    def change(self, group, what):
        ldif = f"dn: {self.entry(f'(cn={group})', 'cn')['dn'][0]}\nchangetype: modify\n{what}"
        out = self.tool("ldapmodify", "admin", stdin=ldif)
        if out.returncode:
            sys.exit(f"ldapmodify {group}: {out.stderr}")

    def may_write(self, group, dn):
        """Adding who is a member already changes nothing, and tells whether it would be allowed. `None`: something else was said."""
        ldif = f"dn: {self.entry(f'(cn={group})', 'cn')['dn'][0]}\nchangetype: modify\nadd: member\nmember: {dn}\n"
        code = self.tool("ldapmodify", "jml", stdin=ldif).returncode
        return {50: False}.get(code, True if code in THERE else None)


def seeded(real):
    """What the checks rest on."""
    alice = real.look("alice.chen")["dn"][0]
    facts = {
        "alice is open": not real.shut("alice.chen"),
        "alice is in three groups": real.groups("alice.chen") == {"ROLE-ENG", "BR-ALL-EMPLOYEES", "APP-LOCKED"},
        "jml's account may write ROLE-ENG": real.may_write("ROLE-ENG", alice) is True,
        "jml's account may not write APP-LOCKED": real.may_write("APP-LOCKED", alice) is False,
        "carol is shut, with groups left": real.shut("carol.diaz") and bool(real.groups("carol.diaz")),
        "ivan and iris have one address": real.look("ivan.jones")["mail"] == real.look("iris.jones")["mail"],
    }
    if real.ad:
        facts["hugo is protected"] = real.look("hugo.ito").get("admincount") == ["1"]
    wrong = [name for name, so in facts.items() if not so]
    if wrong:
        sys.exit(f"the directory was not set up as it should be, nothing was tried: not so: {'; '.join(wrong)}")


class Firm:
    """`jml` on the pretend firm whose directory is real."""

    def __init__(self, jml, folder, config):
        self.binary, self.folder, self.config = jml, folder, config

    def jml(self, *args):
        out = subprocess.run([self.binary, "--config", str(self.config), *args], capture_output=True, text=True,
                             env={**os.environ, "HOME": str(self.folder)})
        return out.returncode, out.stdout, out.stderr

    def leaver(self, login):
        """The exit code, the report, and what became of each step on the real directory: (action, target, outcome, code)."""
        address = f"{login}@acme.example"
        code, out, err = self.jml("leaver", address, "--confirm", address, "-o", "json")
        try:
            person = json.loads(out)["people"][0]
            steps = person["steps"]
        except (ValueError, KeyError, IndexError):
            sys.exit(f"leaver {login}: exit {code}\n{out[-1500:]}{err[-1500:]}")
        return code, person, [(s["action"], s["target"], s["outcome"], s["code"]) for s in steps if s["system"] == "real"]

    @contextlib.contextmanager
    def changed(self, section):
        """The same firm, whose way to the directory is another."""
        lines = self.config.read_text().splitlines()
        begin = lines.index("[systems.real]")
        end = next(n for n in range(begin + 1, len(lines)) if lines[n].startswith("[") and "systems.real" not in lines[n])
        old = [line for line in lines[begin + 1:end] if not line.startswith("[[") and line.split(" = ")[0] not in section]
        find = section.get("find", [{"attribute": "mail", "from": "email"}])
        old = [line for line in old if line.split(" = ")[0] not in ("attribute", "from")]
        toml = lambda v: "[" + ", ".join(map(toml, v)) + "]" if isinstance(v, list) else \
            "{" + ", ".join(f"{k} = {toml(x)}" for k, x in v.items()) + "}" if isinstance(v, dict) else json.dumps(v)
        new = [f"{key} = {toml(value)}" for key, value in {**section, "find": find}.items()]
        config = self.config.with_name("other.toml")
        config.write_text("\n".join([*lines[:begin + 1], *old, *new, *lines[end:]]) + "\n")
        yield Firm(self.binary, self.folder, config)
        config.unlink()


def main():
    ap = argparse.ArgumentParser()
    for name in ("jml", "server", "kind", "dir"):
        ap.add_argument("--" + name, required=True)
    ap.add_argument("--port", type=int, required=True)
    a = ap.parse_args()
    install(a.kind)
    if a.kind == "samba" and os.geteuid() != 0:
        print("samba: its ports are fixed and want root")
        sys.exit(77)
    folder = Path(a.dir).resolve()
    folder.mkdir(mode=0o700, exist_ok=True)
    server = started(
        [sys.executable, a.server, "--kind", a.kind, "--dir", str(folder / "real"), "--port", str(a.port),
         "--bulk", str(BULK), "--endpoints", str(folder / "real.json")],
        folder / "real.log", "ready")
    try:
        real = Real(json.loads((folder / "real.json").read_text())["ldap"])
        seeded(real)
        hired(a.jml, folder, real)
    finally:
        server.terminate()
        server.wait(20)
    print(f"{a.kind}: {len(failed)} failed")
    sys.exit(bool(failed))


def hired(jml, folder, real):
    """The pretend firm, with the directory's people in its Okta."""
    known = real.known
    secret = folder / "directory.json"
    secret.write_text(json.dumps({"user": known["bind_dn"], "password": known["bind_password"]}))
    secret.chmod(0o600)
    people = known["people"] + [{"login": "nobody.here", "mail": "nobody.here@acme.example", "employee_id": "4711"}]
    # The directory's ids of people and the twin's have nothing to do with each other: they are found by address.
    left = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 2 * 86400))
    users = [
        {"id": f"00uREAL{n:013}",
         "profile": {"login": f"{p['login']}@acme.example", "email": p["mail"], "employeeNumber": p["employee_id"], "terminationDate": left}}
        for n, p in enumerate(people)
    ]
    section = {
        "kind": "ldap", "url": known["base_url"], "ca": known["ca"], "profile": known["profile"], "base": known["base_dn"],
        "groups": known["groups_dn"], "find": [{"attribute": "mail", "from": "email"}], "read": f"file:{secret}", "write": f"file:{secret}",
    }
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    world = {"now": now, "population": {"people": 25}, "okta": {"users": users}, "config": {"systems": {"real": section}}}
    (folder / "world.json").write_text(json.dumps(world))
    config = folder / "c.toml"
    twin = started([jml, "sandbox", "serve", "--world", str(folder / "world.json"), "--config", str(config)], folder / "twin.log", "ready")
    try:
        proofs(Firm(jml, folder, config), real)
    finally:
        twin.terminate()
        twin.wait(10)


def honest(real, login, steps):
    """No word of the report is false: what is verified is so, and what is so is not called failed."""
    groups, shut = real.groups(login), real.shut(login)
    so = {"suspend": lambda _: shut, "remove-member": lambda group: group not in groups}
    lies = [s for s in steps if s[0] in so and (s[2] in ("verified", "already")) != so[s[0]](s[1])]
    check(f"no word on {login} is false", not lies, (lies, groups, shut))


def proofs(firm, real):
    lists(firm, real)
    alice(firm, real)
    everybody_else(firm, real)
    nobodys(firm, real)
    doors(firm, real)


def lists(firm, real):
    """More accounts than the server gives at once, to their end. The pretend firm knows some as leavers and the rest not at all: each that is
    open stands in the list of orphans."""
    code, out, _ = firm.jml("doctor", "-o", "json")
    check("doctor sees a whole page", '"sees at least 500 accounts"' in out, (code, out[-900:]))
    code, out, err = firm.jml("audit", "orphans", "-o", "json")
    rows = [r for r in json.loads(out).get("rows", []) if r["system"] == "real"]
    unread = [r for r in rows if "not read" in r["what"]]
    check("every page is read", len(rows) == real.open() and not unread, (code, len(rows), real.open(), unread, err[-500:]))


def alice(firm, real):
    before = real.look("alice.chen")
    code, report, steps = firm.leaver("alice.chen")
    after = real.look("alice.chen")
    check("alice is shut, says ldapsearch", real.shut("alice.chen"), (after, steps))
    check("her password was set anew", after.get(real.stamp) and after.get(real.stamp) != before.get(real.stamp), (before, after))
    check("she is out of every group that jml may change", real.groups("alice.chen") == {"APP-LOCKED"}, real.groups("alice.chen"))
    check("the shutting is verified", ("suspend", "alice.chen", "verified", None) in steps, steps)
    check("the group without a right is told as failed, and why", ("remove-member", "APP-LOCKED", "failed", "50") in steps and code == 4, (code, steps))
    check("no secret in the report", real.known["bind_password"] not in json.dumps(report))
    honest(real, "alice.chen", steps)
    if real.ad:
        check("nested groups are named", all(g in json.dumps(report) for g in ("APP-VPN", "APP-REMOTE")), report["notes"])
        # The administrator does it, and the same run finds it done. The last member of a groupOfNames stays whoever asks.
        real.change("APP-LOCKED", f"delete: member\nmember: {after['dn'][0]}\n")
        code, out, err = firm.jml("run", "resume", report["next"][0].split()[3], "-o", "json")
        check("the same run goes on and ends once that is mended", code in DONE, (code, out[-600:], err[-600:]))


def everybody_else(firm, real):
    """Each story of the cast: shut, with a new password, out of every group that somebody can be taken out of, and no word false."""
    stories = {
        "bob.obrien": "a name with a comma, quote, brackets and star",
        "carol.diaz": "somebody shut before, with groups left",
        "dave.evans": "somebody locked out for half an hour",
        "erin.fox": "somebody whose account has run out",
        "frank.gray": "somebody who must change the password",
        "gina.hale": "somebody whose primary group is another",
        "jürgen.köhl": "a name that is not ASCII",
    }
    for login, story in stories.items():
        before, held = real.look(login), real.groups(login)
        # A groupOfNames has a member at all times.
        last = set() if real.ad else {g for g in held if len(real.entry(f"(cn={g})", "member")["member"]) == 1}
        code, report, steps = firm.leaver(login)
        check(f"{story}: shut", real.shut(login), (code, steps))
        check(f"{story}: a new password", real.look(login).get(real.stamp, before) != before.get(real.stamp), steps)
        check(f"{story}: out of the groups", real.groups(login) == last, (held, real.groups(login), steps))
        check(f"{story}: whoever is the last member is told so", last == {s[1] for s in steps if s[3] == "65"}, (last, steps))
        check(f"{story}: {'done' if not last else 'not done'}", code in ((4,) if last else DONE), (code, steps))
        shut = [s[2] for s in steps if s[0] == "suspend"]
        check(f"{story}: no more was done than had to be", shut == ([] if login == "carol.diaz" else ["verified"]), steps)
        honest(real, login, steps)
        if login == "gina.hale" and real.ad:
            check("the primary group is named as staying", "ROLE-SALES in real stays" in json.dumps(report), report["notes"])


def nobodys(firm, real):
    code, report, steps = firm.leaver("ivan.jones")
    check("of two with one address none is touched", not real.shut("ivan.jones") and not real.shut("iris.jones"), steps)
    check("and both are named, and that is no success", code == 4 and all(n in json.dumps(report).lower() for n in ("iris", "ivan")), (code, report["steps"]))
    code, _, steps = firm.leaver("nobody.here")
    check("somebody without an account there", code in DONE and not steps, (code, steps))
    if real.ad:
        code, report, steps = firm.leaver("hugo.ito")
        check("a protected person is left and named", not real.shut("hugo.ito") and "adminCount" in json.dumps(report) and code == 4, (code, steps))
        honest(real, "hugo.ito", steps)


def doors(firm, real):
    """Ways to the server, and what is there to be read: by a person for whom nothing is to be done any more, so nothing is changed."""
    known = real.known
    plain, ca = known["starttls_url"], known["ca"]
    other = firm.folder / "other.pem"
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                           "/CN=another authority", "-keyout", str(firm.folder / "other.key"), "-out", str(other)], capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"openssl: {made.stderr}")
    wrong = firm.folder / "wrong.json"
    wrong.write_text(json.dumps({"user": known["bind_dn"], "password": "Not-The-Password-1!"}))
    wrong.chmod(0o600)
    ways = [
        ("over TLS", {}, True, ""),
        ("by StartTLS", {"url": plain, "starttls": True}, True, ""),
        ("in clear", {"url": plain}, False, "not read"),
        ("another authority", {"ca": str(other)}, False, "certificate"),
        ("another authority, by StartTLS", {"url": plain, "starttls": True, "ca": str(other)}, False, "certificate"),
        ("a wrong password", {"read": f"file:{wrong}"}, False, "49"),
        ("nobody at the port", {"url": "ldaps://127.0.0.1:9"}, False, "127.0.0.1"),
        ("a fallback for it", {"url": "ldaps://127.0.0.1:9", "fallback": [known["base_url"]]}, True, ""),
        ("another domain's base", {"base": "DC=elsewhere,DC=example", "groups": "DC=elsewhere,DC=example"}, False, "elsewhere"),
        ("a base that isn't there", {"base": "OU=Nowhere," + known["base_dn"]}, False, "32"),
        ("by a login that is not ASCII", {"find": [{"attribute": "sAMAccountName" if real.ad else "uid", "from": "local part of login"}]}, True, ""),
    ]
    if real.ad:
        ways.append(("another domain's SID", {"domain": "S-1-5-21-1-2-3"}, False, "S-1-5-21-1-2-3"))
    for name, change, fine, says in ways:
        with firm.changed(change) as other_firm:
            # A system that is unread blocks nobody's leaving, and is never told as empty.
            code, out, err = other_firm.jml("show", "jürgen.köhl@acme.example", "-o", "json")
            seen = json.loads(out or "{}")
            told = json.dumps([s for s in seen.get("systems", []) if s["system"] == "real"] or [seen, err], ensure_ascii=False)
            check(f"{name}: {'the account is seen' if fine else 'is told as unread'}", ("Jürgen" in told or "jürgen" in told) == fine and says in told, (code, told[:900]))


if __name__ == "__main__":
    main()
