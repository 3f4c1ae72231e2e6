#!/usr/bin/env python3
"""A leaver on a directory server that we did not write (Samba as Active Directory, OpenLDAP), looked at afterwards by ldapsearch.

    ldap.py --jml JML --server ldap_server.py --kind samba|slapd --dir DIR --port PORT

Okta is the sandbox's twin, the directory is real. Exit 77: the server can't be installed here, and why.
"""
import argparse, json, os, shutil, subprocess, sys, time
from pathlib import Path

PACKAGES = {
    "samba": "samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind ldap-utils openssl".split(),
    "slapd": "slapd slapd-contrib ldap-utils openssl".split(),
}
NEEDS = {"samba": ["samba", "samba-tool", "ldapsearch"], "slapd": ["slapd", "ldapsearch"]}
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
failed = []


def check(name, ok, saw=""):
    print(f"ok {name}" if ok else f"FAIL {name}: {saw}")
    if not ok:
        failed.append(name)


def install(kind):
    if all(shutil.which(n, path=PATH) for n in NEEDS[kind]):
        return
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if os.geteuid() == 0 and shutil.which("apt-get"):
        for cmd in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES[kind]]):
            subprocess.run(cmd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    missing = [n for n in NEEDS[kind] if not shutil.which(n, path=PATH)]
    if missing:
        print(f"{kind}: {', '.join(missing)} missing, and apt-get can't install it here")
        sys.exit(77)


def started(cmd, out, word):
    """A child that has said its word."""
    child = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=out.open("w"), stderr=subprocess.STDOUT)
    for _ in range(1200):
        if word in out.read_text().splitlines():
            return child
        if child.poll() is not None:
            break
        time.sleep(0.1)
    child.kill()
    sys.exit(f"{cmd[0]} did not get ready:\n{out.read_text()[-2000:]}")


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
        leave(a, folder, json.loads((folder / "real.json").read_text())["ldap"])
    finally:
        server.terminate()
        server.wait(20)
    print(f"{a.kind}: {len(failed)} failed")
    sys.exit(bool(failed))


def leave(a, folder, real):
    secret = folder / "directory.json"
    secret.write_text(json.dumps({"user": real["bind_dn"], "password": real["bind_password"]}))
    secret.chmod(0o600)
    ad = real["profile"] == "ad"
    people = [p for p in real["people"] if p["login"] in ("alice.chen", "bob.obrien", "carol.diaz", "hugo.ito", "ivan.jones")]
    # The directory's ids of people and the twin's have nothing to do with each other: they are found by address.
    people.append({"login": "nobody.here", "mail": "nobody.here@acme.example", "employee_id": "4711"})
    users = [
        {"id": f"00uREAL{n:013}", "profile": {"login": f"{p['login']}@acme.example", "email": p["mail"], "employeeNumber": p["employee_id"]}}
        for n, p in enumerate(people)
    ]
    section = {
        "kind": "ldap", "url": real["base_url"], "ca": real["ca"], "profile": real["profile"], "base": real["base_dn"],
        "groups": real["groups_dn"], "find": [{"attribute": "mail", "from": "email"}], "read": f"file:{secret}", "write": f"file:{secret}",
    }
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for u in users:
        u["profile"]["terminationDate"] = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 2 * 86400))
    world = {"now": now, "population": {"people": 25}, "okta": {"users": users}, "config": {"systems": {"real": section}}}
    (folder / "world.json").write_text(json.dumps(world))
    config = folder / "c.toml"
    twin = started([a.jml, "sandbox", "serve", "--world", str(folder / "world.json"), "--config", str(config)], folder / "twin.log", "ready")
    try:
        proofs(a, folder, real, ad, config)
    finally:
        twin.terminate()
        twin.wait(10)


def proofs(a, folder, real, ad, config):
    def look(login, *names):
        attribute = "sAMAccountName" if ad else "uid"
        out = subprocess.run(
            ["ldapsearch", "-LLL", "-x", "-o", "ldif-wrap=no", "-H", real["base_url"], "-D", real["admin_dn"], "-w", real["admin_password"],
             "-b", real["base_dn"], f"({attribute}={login})", *names],
            env={**os.environ, "PATH": PATH, "LDAPTLS_CACERT": real["ca"]}, capture_output=True, text=True)
        if out.returncode:
            sys.exit(f"ldapsearch: {out.stderr}")
        seen = {}
        for line in out.stdout.splitlines():
            name, _, value = line.partition(": ")
            seen.setdefault(name.rstrip(":").lower(), []).append(value)
        return seen

    lock = ("userAccountControl", "pwdLastSet") if ad else ("pwdAccountLockedTime", "pwdChangedTime")

    def shut(seen):
        if ad:
            return int(seen["useraccountcontrol"][0]) & 2 == 2
        return seen.get("pwdaccountlockedtime") == ["000001010000Z"]

    def leaver(login, *more):
        address = f"{login}@acme.example"
        out = subprocess.run([a.jml, "--config", str(config), "leaver", address, "--confirm", address, "-o", "json", *more],
                             capture_output=True, text=True, env={**os.environ, "HOME": str(folder)})
        try:
            return out.returncode, json.loads(out.stdout)
        except ValueError:
            sys.exit(f"leaver {login}: exit {out.returncode}\n{out.stdout[-1500:]}{out.stderr[-1500:]}")

    def steps(doc):
        found = []
        def walk(x):
            if isinstance(x, dict):
                if x.get("system") == "real" and "action" in x and "outcome" in x:
                    found.append((x["action"], x.get("object") or "", x["outcome"]))
                for v in x.values():
                    walk(v)
            elif isinstance(x, list):
                for v in x:
                    walk(v)
        walk(doc)
        return found

    def word(outcome):
        return outcome["outcome"] if isinstance(outcome, dict) else outcome

    before = look("alice.chen", *lock, "memberOf")
    check("alice is open before", not shut(before), before)
    code, doc = leaver("alice.chen")
    done = {(what, on): word(o) for what, on, o in steps(doc)}
    after = look("alice.chen", *lock, "memberOf")
    text = json.dumps(doc)
    check("alice is shut, says ldapsearch", shut(after), after)
    stamp = lock[1].lower()
    check("her password was set anew", after[stamp] != before[stamp], (before, after))
    groups = {g.split(",")[0].split("=")[1] for g in after.get("memberof", [])}
    check("she is out of every group that jml may change", groups <= {"APP-LOCKED"}, groups)
    check("the shutting is verified", done.get(("suspend", "")) == "verified", done)
    check("the group without a right is told as failed", code == 4 and any(w == "failed" for w in done.values()), (code, done))
    check("no word is false", ("remove-member", "APP-LOCKED") not in done or done[("remove-member", "APP-LOCKED")] != "verified", done)
    check("no secret in the report", real["bind_password"] not in text)

    code, doc = leaver("bob.obrien")
    check("a name with a comma, quote, brackets and star", shut(look("bob.obrien", *lock)), steps(doc))
    left = look("bob.obrien", "memberOf").get("memberof", [])
    check("his groups are gone", not left, left)

    groups_before = look("carol.diaz", "memberOf")
    code, doc = leaver("carol.diaz")
    done = {(what, on): word(o) for what, on, o in steps(doc)}
    check("somebody shut before is not shut again", ("suspend", "") not in done or done[("suspend", "")] == "already", done)
    check("her groups go all the same", not look("carol.diaz", "memberOf").get("memberof"), groups_before)

    code, doc = leaver("ivan.jones")
    check("of two with one address none is touched", not shut(look("ivan.jones", *lock)) and not shut(look("iris.jones", *lock)), code)
    check("and that is no success", code == 4, code)
    code, doc = leaver("nobody.here")
    check("somebody without an account there", all(word(o) in ("verified", "already", "done") for _, _, o in steps(doc)), steps(doc))
    if ad:
        code, doc = leaver("hugo.ito")
        check("a protected person is left and named", not shut(look("hugo.ito", *lock)) and "adminCount" in json.dumps(doc), code)


if __name__ == "__main__":
    main()
