#!/usr/bin/env python3
"""Leavers on a directory server that we did not write (Samba as Active Directory, OpenLDAP), looked at afterwards by ldapsearch.

    ldap.py --jml JML --server ldap_server.py --kind samba|slapd --dir DIR --port PORT

Okta is the sandbox's twin, the directory is real. What a check rests on is looked at first: if it isn't so, that is said and nothing else
is tried. Exit 77: the server can't be installed here, and why.
"""
import argparse, base64, json, os, shutil, subprocess, sys, time
from pathlib import Path

PACKAGES = {
    "samba": "samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind ldap-utils openssl".split(),
    "slapd": "slapd slapd-contrib ldap-utils openssl".split(),
}
NEEDS = {"samba": ["samba", "samba-tool", "ldapsearch", "ldapmodify", "openssl"], "slapd": ["slapd", "ldapsearch", "ldapmodify", "openssl"]}
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
LOCKED = "000001010000Z"
THERE = (20, 68)  # of an addition that is there already: only who may write the attribute is told so
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

    def groups(self, login):
        return {g.split(",")[0].split("=")[1] for g in self.look(login).get("memberof", [])}

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
        self.jml, self.folder, self.config = jml, folder, config

    def leaver(self, login):
        """The exit code, the report, and what became of each step on the real directory: (action, target, outcome, code)."""
        address = f"{login}@acme.example"
        out = subprocess.run([self.jml, "--config", str(self.config), "leaver", address, "--confirm", address, "-o", "json"],
                             capture_output=True, text=True, env={**os.environ, "HOME": str(self.folder)})
        try:
            person = json.loads(out.stdout)["people"][0]
            steps = person["steps"]
        except (ValueError, KeyError, IndexError):
            sys.exit(f"leaver {login}: exit {out.returncode}\n{out.stdout[-1500:]}{out.stderr[-1500:]}")
        return out.returncode, person, [(s["action"], s["target"], s["outcome"], s["code"]) for s in steps if s["system"] == "real"]


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
        [sys.executable, a.server, "--kind", a.kind, "--dir", str(folder / "real"), "--port", str(a.port), "--endpoints", str(folder / "real.json")],
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

    code, _, steps = firm.leaver("bob.obrien")
    check("a name with a comma, quote, brackets and star", code in DONE and real.shut("bob.obrien"), (code, steps))
    check("his groups are gone", not real.groups("bob.obrien"), real.groups("bob.obrien"))
    honest(real, "bob.obrien", steps)

    code, _, steps = firm.leaver("carol.diaz")
    check("somebody shut before is not shut again", all(s[2] == "already" for s in steps if s[0] == "suspend"), steps)
    check("and stays shut", real.shut("carol.diaz"), real.look("carol.diaz"))
    check("her groups go all the same", code in DONE and not real.groups("carol.diaz"), (code, steps))
    honest(real, "carol.diaz", steps)

    code, _, steps = firm.leaver("ivan.jones")
    check("of two with one address none is touched", not real.shut("ivan.jones") and not real.shut("iris.jones"), steps)
    check("and that is no success", code == 4, code)
    code, _, steps = firm.leaver("nobody.here")
    check("somebody without an account there", code in DONE and not steps, (code, steps))
    if real.ad:
        code, report, steps = firm.leaver("hugo.ito")
        check("a protected person is left and named", not real.shut("hugo.ito") and "adminCount" in json.dumps(report) and code == 4, (code, steps))
        honest(real, "hugo.ito", steps)


if __name__ == "__main__":
    main()
