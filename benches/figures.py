#!/usr/bin/env python3
"""The figures of docs/PERFORMANCE.md, measured in one run against `jml sandbox serve --latency 60ms`.

    python3 benches/figures.py JML [--peer]

JML is the binary. The peer is benches/sequential.py, a leaver on the vendors' SDKs (which must be beside this Python); left out, it is said.
Prints a table; needs nothing else.
"""
import argparse, collections, json, os, pathlib, statistics, subprocess, sys, tempfile, time

CALL = 0.060


TRIPS = 5  # of Okta's part: suspend, clear, remove, deactivate, read again: the plan's own chain
APPS = ["slack", "github", "google", "salesforce", "zoom"]
SIX = 11  # of six systems: Salesforce's chain (token, look, freeze, look, end sessions, look, deactivate, read again in four)


def world():
    """Six leavers of one kind: 8 groups, two of them with 2 direct apps, two with an account in five apps. Deactivation is done when it is answered."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    left = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400 * 2))
    names = [f"TEAM-{n}" for n in range(6)]
    groups = [{"id": f"00gTEAM{n:013}", "name": name} for n, name in enumerate(names)]
    users = [{"id": f"00uL{n:016}", "profile": {"login": f"leaver{n}@acme.example", "terminationDate": left, "employmentStatus": "Terminated"},
              "groups": names + ["BR-ALL-EMPLOYEES", "ROLE-OPS"], "grants": 0} for n in range(6)]
    apps = [{"id": f"0oaD{n:016}", "label": f"Direct {n}", "features": ["PUSH_USER_DEACTIVATION"],
             "assigned": [{"user": u["id"], "scope": "USER"} for u in users[:2]]} for n in range(2)]
    mail = [u["profile"]["login"] for u in users]
    slack = [{"id": f"U0LEAVER{n:02}", "email": m} for n, m in enumerate(mail)]
    six = list(enumerate(mail))[4:]
    return {"now": now, "population": {"people": 40}, "okta": {"users": users, "groups": groups, "apps": apps, "deactivate_delay": "0s"},
            "apps": {"slack": {"plan": "enterprise", "users": slack},
                     "github": {"members": [{"id": 8000 + n, "login": f"leaver{n}", "credentials": 2} for n, _ in six],
                                "saml": [{"name_id": m, "login": f"leaver{n}"} for n, m in six]},
                     "google": {"users": [{"id": f"{n:021}", "primaryEmail": m, "tokens": [{"clientId": "c.apps", "displayText": "Figma"}],
                                           "asps": [{"codeId": 1, "name": "Mail"}]} for n, m in six]},
                     "salesforce": {"users": [{"Id": f"005L{n:011}AAA", "Username": m, "sessions": 2, "oauth_tokens": 1} for n, m in six]},
                     "zoom": {"users": [{"id": f"zL{n:020}", "email": m} for n, m in six]}}}


def serve(jml, folder, env, *more):
    for f in ("ready", "j.ndjson", "c.toml", "e.json"):
        (folder / f).unlink(missing_ok=True)
    out = open(folder / "ready", "w")
    p = subprocess.Popen(
        [jml, "sandbox", "serve", "--latency", "60ms", "--config", folder / "c.toml", "--endpoints", folder / "e.json",
         "--journal", folder / "j.ndjson", *more], stdin=subprocess.DEVNULL, stdout=out, env=env)
    for _ in range(400):
        if "ready" in (folder / "ready").read_text():
            return p
        time.sleep(0.05)
    sys.exit("sandbox serve did not get ready")


def journal(folder, after=0):
    return [json.loads(line) for line in (folder / "j.ndjson").read_text().splitlines()[after:]]


def leaver(jml, folder, env, login):
    before = len(journal(folder))
    begun = time.monotonic()
    run = subprocess.run([jml, "--config", folder / "c.toml", "leaver", login, "--confirm", login, "-o", "json"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)
    wall = time.monotonic() - begun
    person = json.loads(run.stdout)["people"][0]
    okta = [r for r in journal(folder, before) if r["system"] == "okta"]
    uid = person["id"]
    own = [r for r in okta if uid in r["path"] or uid in (r["query"] or "") or login.split("@")[0] + "%40" in r["path"]]
    token = [r for r in okta if r["method"] == "DELETE" and "/api-tokens/" in r["path"]]
    count = lambda part: sum(r["method"] == "DELETE" and part in r["path"] for r in own)
    groups, direct, clients = count("/groups/"), count("/apps/"), count("/clients/")
    formula = 9 + groups + direct + 3 + (1 if direct else 0) + (1 if clients else 0) + 1 + 2 * clients  # +1: clients
    log = subprocess.run([jml, "--config", folder / "c.toml", "audit", "log", "--person", login, "-o", "json"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)
    entries = json.loads(log.stdout)["entries"]
    at = lambda e: time.mktime(time.strptime(e["time"][:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + e["time"][19:-1])
    def span(systems):
        steps = [e for e in entries if e["system"] in systems and e["kind"] in ("started", "finished", "verified")]
        return max(map(at, steps)) - min(map(at, steps))
    return dict(login=login, wall=wall, own=len(own), formula=formula, g=groups, d=direct, clients=clients,
                tokens=len(token), span=span({"okta"}), six=span({"okta", *APPS}), result=person["result"])


def starts(argv, n=200):
    took = []
    for _ in range(n):
        begun = time.monotonic()
        subprocess.run(argv, stdout=subprocess.DEVNULL)
        took.append(time.monotonic() - begun)
    return statistics.median(took) * 1000


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("jml")
    ap.add_argument("--peer", action="store_true")
    a = ap.parse_args()
    jml = os.path.abspath(a.jml)
    with tempfile.TemporaryDirectory(dir=os.environ.get("HOME")) as t:
        folder = pathlib.Path(t)
        env = {"HOME": t, "XDG_STATE_HOME": t + "/state", "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        (folder / "w.json").write_text(json.dumps(world()))
        p = serve(jml, folder, env, "--world", folder / "w.json")
        try:
            for n in (0, 2):
                m = leaver(jml, folder, env, f"leaver{n}@acme.example")
                print(f"{m['login']}: {m['result']}; G {m['g']}, D {m['d']}, clients {m['clients']}: {m['own']} calls, formula {m['formula']}; "
                      f"from the first effect to the last read {m['span']:.3f} s, critical path {TRIPS * CALL:.3f} s, "
                      f"ratio {m['span'] / (TRIPS * CALL):.2f}; the whole command {m['wall']:.2f} s")
            m = leaver(jml, folder, env, "leaver4@acme.example")
            print(f"{m['login']} on six systems: {m['result']}; from the first effect to the last read {m['six']:.3f} s, "
                  f"critical path {SIX * CALL:.3f} s, ratio {m['six'] / (SIX * CALL):.2f}; the whole command {m['wall']:.2f} s")
            if a.peer:
                peer = pathlib.Path(__file__).with_name("sequential.py")
                run = subprocess.run([sys.executable, peer, "--endpoints", folder / "e.json", "--user", "leaver5@acme.example",
                                      "--heir", "p00001@acme.example"], capture_output=True, text=True)
                took = json.loads(run.stdout)["seconds"] if run.returncode == 0 else sys.exit(run.stderr[-600:])
                print(f"peer, leaver5@acme.example on the same six, one call after another: {took:.2f} s, {took / m['six']:.1f} times as long")
            else:
                print("peer: left out (no --peer)")
        finally:
            p.terminate()
            p.wait()
        p = serve(jml, folder, env)
        try:
            sweep = [jml, "--config", folder / "c.toml", "sweep", "--yes", "-o", "json"]
            for _ in range(2):
                subprocess.run(sweep, stdin=subprocess.DEVNULL, capture_output=True, env=env)
                time.sleep(3)
            before = len(journal(folder))
            run = subprocess.run(sweep, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)
            read = json.loads(run.stdout)["read"]
            okta = [r for r in journal(folder, before) if r["system"] == "okta"]
            kinds = collections.Counter(
                "people" if r["path"] == "/api/v1/users" else "members" if r["path"].endswith("/users") and "/groups/" in r["path"]
                else "a person" if r["path"].startswith("/api/v1/users/") and not r["path"].endswith("/roles") else "catalogue" for r in okta)
            print(f"sweep of {read['people']} with nothing to do: {len(okta)} Okta calls, {dict(kinds)}, methods {sorted({r['method'] for r in okta})}")
        finally:
            p.terminate()
            p.wait()
    print(f"--version: {starts([jml, '--version']):.2f} ms, /bin/true {starts(['/bin/true']):.2f} ms (medians of 200)")


main()
