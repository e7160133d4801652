"""Asks whether somebody may send wires: one question, a batch, and one that
demands to know at least what the first answer knew. Whatever is not a clear yes
is a no."""
import json
import os
import sys
import urllib.request

URL, KEY = os.environ["MANDATE_URL"], os.environ["MANDATE_KEY"]
MEMBER, ACCOUNT = os.environ["MANDATE_MEMBER"], os.environ["MANDATE_ACCOUNT"]


def ask(address, body, revision=None):
    headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json"}
    if revision:
        headers["Mandate-Revision"] = revision
    request = urllib.request.Request(f"{URL}/access/v1/{address}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer), answer.headers.get("Mandate-Revision")


def wire(amount):  # amounts travel as text, exactly
    return {
        "subject": {"type": "user", "id": MEMBER},
        "action": {"name": "wires.transmit", "properties": {"amount": amount}},
        "resource": {"type": "account", "id": ACCOUNT},
    }


def may(question, revision=None):
    """The decision, and no where there is none; with the revision it knew."""
    try:
        answer, known = ask("evaluation", question, revision)
        return answer.get("decision") is True, known
    except (OSError, ValueError, AttributeError) as error:
        print(error, file=sys.stderr)
        return False, None


def may_all(questions):
    """The decisions about many questions, up to 1,000, in their order."""
    try:
        decisions = [e.get("decision") is True for e in ask("evaluations", {"evaluations": questions})[0]["evaluations"]]
        return decisions if len(decisions) == len(questions) else [False] * len(questions)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        print(error, file=sys.stderr)
        return [False] * len(questions)


single, revision = may(wire("9000.00"))
print("single", json.dumps(single))
print("batch", *map(json.dumps, may_all([wire("9000.00"), wire("900000.00")])))
print("fresh", json.dumps(may(wire("9000.00"), revision)[0]))
