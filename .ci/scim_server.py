#!/usr/bin/env python3
"""Our leaver against a SCIM server that we did not write: each of its modes and lies, and what must come of it.

    scim_server.py --jml PATH --server SHARED/check/scim_server.py --tmp FOLDER     (run by the Python that has scim2-server)

For each play: that server, seeded; a sandbox whose configuration has it as [systems.app]; leavers that Okta knows; then what jml said
is held against what the server's own store holds. `verified` of an account that is still active there is the one thing that may never be.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

TOKEN = "t0ken"
LEAVERS = {"bob": "bob@acme.example", "quoted": 'q"uote@acme.example', "brien": "o'brien@acme.example", "dave": "dave@acme.example",
           "carol": "carol@acme.example", "nobody": "nobody.here@acme.example"}
GOOD = {"verified", "already"}
OFF = {"filter": "off"}

# name, the server's arguments, keys of the section, what must come of bob: "gone" (deactivated, and said so), "open" (said to be open),
# "unproved" (done, and nobody says verified)
PLAYS = [
    ("full", ["--mode", "full"], {}, "gone"),
    ("capital, no path, a text", ["--mode", "full"], {"op_case": "capital", "patch_path": "off", "active_as": "string"}, "gone"),
    ("by external id alone", ["--mode", "full"], {"find_by": ["externalId"], "external_id": "employeeNumber"}, "gone"),
    ("by e-mail", ["--mode", "full"], {"find_by": ["emails"]}, "gone"),
    ("delete", ["--mode", "full"], {"deprovision": "delete"}, "gone"),
    ("application/json", ["--mode", "full"], {"content_type": "json"}, "gone"),
    ("put-only", ["--mode", "put-only"], {"deprovision": "put", "groups": "off"}, "gone"),
    ("put-only, not told", ["--mode", "put-only"], {}, "open"),
    ("no-filter", ["--mode", "no-filter"], OFF, "gone"),
    ("no-filter, not told", ["--mode", "no-filter"], {}, "open"),
    ("no-etag", ["--mode", "no-etag"], {"deprovision": "put"}, "gone"),
    ("cursor", ["--mode", "cursor"], {"paging": "cursor", "page_size": 20, **OFF}, "gone"),
    ("cursor, asked by index", ["--mode", "full"], {"paging": "cursor"}, "open"),
    ("small-pages", ["--mode", "small-pages"], OFF, "gone"),
    ("strict", ["--mode", "strict"], {}, "gone"),
    ("ignore-filter", ["--lie", "ignore-filter"], {}, "open"),
    ("ignore-filter, told", ["--lie", "ignore-filter"], OFF, "gone"),
    ("patch-no-effect", ["--lie", "patch-no-effect"], {}, "open"),
    ("string-active", ["--lie", "string-active"], {}, "gone"),
    ("no-resources", ["--lie", "no-resources"], {}, "gone"),
    ("gone, told", ["--lie", "gone"], {"gone_is": "deleted"}, "gone"),
    ("gone", ["--lie", "gone"], {}, "unproved"),
    ("429", ["--lie", "429"], {}, "gone"),
    ("lost", ["--lie", "lost"], {}, "gone"),
    ("html", ["--lie", "html"], {}, "open"),
    ("nobody there", None, {}, "open"),
]


class Play:
    def __init__(self, args, folder, name, server, section, bob):
        self.args, self.folder, self.name, self.arguments, self.section, self.bob = args, folder, name, server, section, bob
        self.children = []

    def start(self, command, word, **more):
        # not a pipe: the sandbox would end when it closes
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **more)
        self.children.append(child)
        line = child.stdout.readline()
        assert line.startswith(word), f"{command[0]} said {line!r}"
        return line

    def setup(self):
        self.url = "http://127.0.0.1:9/v2"
        if self.arguments is not None:
            line = self.start([sys.executable, self.args.server, "--port", "0", "--token", TOKEN, *self.arguments], "ready")
            self.url = line.split()[1]
        token = self.folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        section = {"kind": "scim", "url": self.url, "read": f"file:{token}", "write": f"file:{token}", **self.section}
        users = [{"id": f"00u{n:017}", "profile": {"login": login, "terminationDate": "2026-07-14", "employeeNumber": f"hr-{90000 + n}"}}
                 for n, login in enumerate(LEAVERS.values())]
        users[0]["profile"]["employeeNumber"] = "hr-10002"
        world = {"now": "2026-07-15T05:05:00Z", "population": {"people": 100}, "okta": {"users": users}, "config": {"systems": {"app": section}}}
        (self.folder / "w.json").write_text(json.dumps(world))
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TERM": "dumb", "LANG": "C.UTF-8"}
        self.start([self.args.jml, "sandbox", "serve", "--world", str(self.folder / "w.json"), "--config", str(self.folder / "c.toml")],
                   "ready", env=self.env)

    def store(self):
        """Login to (active, groups), by the server itself; lies are told about single users and lists, so read plainly, each by each."""
        if self.arguments is None:
            return {}
        def get(path):
            request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {TOKEN}"})
            for _ in range(9):
                try:
                    return json.load(urllib.request.urlopen(request, timeout=10))
                except (urllib.error.HTTPError, ValueError):
                    time.sleep(0.05)
            return {}
        users, groups = [], []
        for place, into in (("/Users", users), ("/Groups", groups)):
            while True:
                page = get(f"{place}?startIndex={len(into) + 1}&count=100")
                into += page.get("Resources") or []
                if not page.get("Resources") or len(into) >= page["totalResults"]:
                    break
        inside = {m["value"]: g["displayName"] for g in groups for m in g.get("members") or []}
        return {u["userName"].lower(): (str(u["active"]).lower() == "true", inside.get(u["id"])) for u in users}

    def leaver(self, login):
        command = [self.args.jml, "--config", str(self.folder / "c.toml"), "leaver", login, "--confirm", login, "--no-input", "-o", "json"]
        done = subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        try:
            document = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"{login}: exit {done.returncode}: {done.stdout[-300:]}{done.stderr[-600:]}") from None
        assert "people" in document, f"{login}: exit {done.returncode}: {done.stdout[-600:]}"
        steps = [s for p in document["people"] for s in p["steps"] if s["system"] == "app"]
        return done.returncode, steps

    def run(self):
        self.setup()
        before, exits, said = self.store(), {}, {}
        # what never comes to hold is waited for: two are enough where nothing may
        who = LEAVERS if self.bob == "gone" else {name: LEAVERS[name] for name in ("bob", "nobody")}
        for name, login in who.items():
            exits[name], said[name] = self.leaver(login)
        after = self.store()
        for name, login in who.items():
            active, groups = after.get(login, (False, None))
            words = [(s["action"], s["outcome"]) for s in said[name]]
            shut = [o for a, o in words if a == "deactivate"]
            if login in after:
                assert not (active and set(shut) & GOOD), f"{name}: {words}, and the account is active"
                left = [o for a, o in words if a == "remove-member"]
                assert not (groups and left and set(left) <= GOOD), f"{name}: {words}, and still in {groups}"
            assert "absent" not in json.dumps(said[name]).lower() or login not in before, f"{name}: taken for absent"
        words = [(s["action"], s["outcome"]) for s in said["bob"]]
        if self.bob == "unproved":
            assert words and not set(o for a, o in words if a == "deactivate") & GOOD, f"bob: {words}"
            return "accepted, and not proved"
        if self.bob == "open":
            assert exits["bob"] == 4, f"bob: exit {exits['bob']}, not 4: {words}"
            assert any(o not in GOOD for _, o in words), f"bob: nothing is open: {words}"
            believed = self.name in LAWFUL
            assert exits["nobody"] == (0 if believed else 4), f"nobody: exit {exits['nobody']}, and that there is none {'is' if believed else 'is not'} known"
            return "open, as it must be"
        for name in ("bob", "quoted", "brien", "dave"):
            if name != "bob" and self.section.get("find_by"):
                continue
            login, words = LEAVERS[name], [(s["action"], s["outcome"]) for s in said[name]]
            assert exits[name] == 0, f"{name}: exit {exits[name]}: {said[name]}"
            assert ("deactivate", "verified") in words, f"{name}: {words}"
            assert not after.get(login, (False, None))[0], f"{name} is active"
        assert exits["nobody"] == 0 and not said["nobody"], f"nobody: exit {exits['nobody']}, {said['nobody']}"
        again, steps = self.leaver(LEAVERS["bob"])
        assert again == 0 and not [s for s in steps if s["outcome"] not in GOOD], f"bob again: exit {again}: {steps}"
        return f"{sum(len(s) for s in said.values())} steps"

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
            child.wait(10)


# Where only a change is refused, or only one account hides, that nobody is there is known all the same.
LAWFUL = {"put-only, not told", "patch-no-effect"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jml", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--tmp", required=True)
    parser.add_argument("--only")
    parser.add_argument("--jobs", type=int, default=6, help="they wait more than they work")
    args = parser.parse_args()

    def played(row):
        with tempfile.TemporaryDirectory(dir=args.tmp) as folder:
            play = Play(args, pathlib.Path(folder), *row)
            try:
                print(f"ok {row[0]}: {play.run()}", flush=True)
                return True
            except AssertionError as why:
                print(f"FAIL {row[0]}: {why}", flush=True)
                return False
            finally:
                play.stop()

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        outcomes = list(pool.map(played, [row for row in PLAYS if args.only in (None, row[0])]))
    passed, failed = outcomes.count(True), outcomes.count(False)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
