#!/usr/bin/env python3
"""The peer of docs/PERFORMANCE.md: the leaver that one writes with the vendors' own SDKs, one call after another, on six systems.

    pip install okta==3.4.6 slack_sdk==3.48.0 PyGithub==2.10.0 google-api-python-client==2.202.0 simple-salesforce==1.12.10 httpx==0.28.1
    python3 sequential.py --endpoints FILE --user LOGIN --heir LOGIN

Okta: find, suspend, clear sessions, leave groups and direct apps, deactivate. Slack: sign out, deactivate. GitHub: credentials, membership.
Google: sign out, tokens, app passwords, codes, files, suspend. Salesforce: freeze, sessions, tokens, deactivate. Zoom: token, deactivate.
Each is read again at the end. It holds ready tokens, keeps its connections, plans nothing, records nothing.
Prints seconds and exits 0 only when the person is gone everywhere.
"""
import argparse, asyncio, json, logging, os, time, warnings

os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
import httpx, requests
from github import Auth, Github
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from okta.client import Client
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, format_soql
from simple_salesforce.exceptions import SalesforceResourceNotFound
from slack_sdk import WebClient


def got(result):
    if result[-1] is not None:
        raise SystemExit(str(result[-1]))
    return result[0]


def word(enum):
    return getattr(enum, "value", enum)


async def okta(ep, who):
    async with Client({"orgUrl": ep["base_url"], "token": ep["token"]}) as c:
        user = got(await c.get_user(who))
        got(await c.suspend_user(user.id))
        got(await c.revoke_user_sessions(user.id, oauth_tokens=True))
        got(await c.revoke_user_grants(user.id))
        for group in got(await c.list_user_groups(user.id)):
            if word(group.type) == "OKTA_GROUP":
                got(await c.unassign_user_from_group(group.id, user.id))
        for app in got(await c.list_applications(filter=f'user.id eq "{user.id}"')):
            got(await c.unassign_user_from_application(app.actual_instance.id if hasattr(app, "actual_instance") else app.id, user.id))
        got(await c.deactivate_user(user.id, send_email=False))
        user = got(await c.get_user(user.id))
        left = [g for g in got(await c.list_user_groups(user.id)) if word(g.type) == "OKTA_GROUP"]
        return word(user.status) == "DEPROVISIONED" and not left


def slack(ep, who):
    c = WebClient(token=ep["token"], base_url=ep["base_url"] + "/api/")
    user = c.users_lookupByEmail(email=who)["user"]
    c.api_call("admin.users.session.reset", json={"user_id": user["id"]})
    scim = httpx.Client(base_url=ep["base_url"] + "/scim/v2/", headers={"authorization": "Bearer " + ep["token"]})
    operation = {"op": "replace", "path": "active", "value": False}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
    scim.patch(f"Users/{user['id']}", json=body).raise_for_status()
    return c.users_info(user=user["id"])["user"]["deleted"]


def github(ep, who):
    c = Github(auth=Auth.Token(ep["token"]), base_url=ep["base_url"], retry=None, seconds_between_requests=0, seconds_between_writes=0)
    org = c.get_organization(ep["org"])
    login = who.split("@")[0]
    user = c.get_user(login)
    rest = httpx.Client(base_url=ep["base_url"], headers={"authorization": "Bearer " + ep["token"], "accept": "application/vnd.github+json"})
    mine = f"/orgs/{ep['org']}/credential-authorizations"
    for one in rest.get(mine, params={"login": login}).raise_for_status().json():
        rest.delete(f"{mine}/{one['credential_id']}").raise_for_status()
    org.remove_from_membership(user)
    return not org.has_in_members(user)


def google(ep, who, heir):
    files = build("admin", "datatransfer_v1", credentials=Credentials(ep["token"]), client_options={"api_endpoint": ep["base_url"]}, static_discovery=True)
    c = build("admin", "directory_v1", credentials=Credentials(ep["token"]), client_options={"api_endpoint": ep["base_url"]}, static_discovery=True)
    uid = c.users().get(userKey=who).execute()["id"]
    c.users().signOut(userKey=uid).execute()
    for t in c.tokens().list(userKey=uid).execute().get("items", []):
        c.tokens().delete(userKey=uid, clientId=t["clientId"]).execute()
    for a in c.asps().list(userKey=uid).execute().get("items", []):
        c.asps().delete(userKey=uid, codeId=a["codeId"]).execute()
    c.verificationCodes().invalidate(userKey=uid).execute()
    to = c.users().get(userKey=heir).execute()["id"]
    drive = next(x for x in files.applications().list(customerId="my_customer").execute()["applications"] if x["name"] == "Drive and Docs")
    what = {"applicationId": drive["id"], "applicationTransferParams": [{"key": "PRIVACY_LEVEL", "value": ["PRIVATE", "SHARED"]}]}
    files.transfers().insert(body={"oldOwnerUserId": uid, "newOwnerUserId": to, "applicationDataTransfers": [what]}).execute()
    c.users().update(userKey=uid, body={"suspended": True}).execute()
    user = c.users().get(userKey=uid).execute()
    return user["suspended"] and not c.tokens().list(userKey=uid).execute().get("items")


class Loopback(HTTPAdapter):
    """The SDK writes https:// whatever it is given."""

    def send(self, request, **more):
        request.url = request.url.replace("https://127.0.0.1", "http://127.0.0.1", 1)
        return super().send(request, **more)


def salesforce(ep, who):
    session = requests.Session()
    session.mount("https://127.0.0.1", Loopback())
    c = Salesforce(instance_url=ep["base_url"].replace("http://", "https://"), session_id=ep["token"], session=session, version="62.0")
    uid = c.query(format_soql("SELECT Id FROM User WHERE Username = {}", who))["records"][0]["Id"]
    ask = lambda q: c.query(format_soql(q + " = {}", uid))["records"]
    c.UserLogin.update(ask("SELECT Id FROM UserLogin WHERE UserId")[0]["Id"], {"IsFrozen": True})
    for s in ask("SELECT Id FROM AuthSession WHERE UsersId"):
        try:
            c.AuthSession.delete(s["Id"])
        except SalesforceResourceNotFound:
            pass  # ended with its parent
    for t in ask("SELECT DeleteToken FROM OauthToken WHERE UserId"):
        session.post(ep["base_url"] + "/services/oauth2/revoke", data={"token": t["DeleteToken"]}).raise_for_status()
    c.User.update(uid, {"IsActive": False})
    return not ask("SELECT IsActive FROM User WHERE Id")[0]["IsActive"] and not ask("SELECT Id FROM AuthSession WHERE UsersId")


def zoom(ep, who):
    c = httpx.Client(base_url=ep["base_url"] + "/v2", headers={"authorization": "Bearer " + ep["token"]})
    uid = c.get(f"/users/{who}").raise_for_status().json()["id"]
    c.delete(f"/users/{uid}/token").raise_for_status()
    c.put(f"/users/{uid}/status", json={"action": "deactivate"}).raise_for_status()
    return c.get(f"/users/{uid}").raise_for_status().json()["status"] == "inactive"


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--endpoints", required=True)
    ap.add_argument("--user", required=True)
    ap.add_argument("--heir", required=True)
    a = ap.parse_args()
    ep = json.load(open(a.endpoints))
    begun = time.monotonic()
    gone = {"okta": asyncio.run(okta(ep["okta"], a.user))}
    gone["google"] = google(ep["google"], a.user, a.heir)
    for system in (slack, github, salesforce, zoom):
        gone[system.__name__] = system(ep[system.__name__], a.user)
    print(json.dumps({"user": a.user, "seconds": round(time.monotonic() - begun, 3), "gone": gone}))
    raise SystemExit(0 if all(gone.values()) else 1)


main()
