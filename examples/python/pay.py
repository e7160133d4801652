"""Carries two payments: one is authorized and confirmed, which is the moment at
which it may go; the other is authorized and given back. The Idempotency-Key
makes every call one that can be repeated after a failure."""
import json
import os
import random
import time
import urllib.error
import urllib.request

URL, KEY = os.environ["MANDATE_URL"], os.environ["MANDATE_KEY"]


def call(path, key, body=None):
    data = json.dumps(body).encode() if body else b""
    headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json", "Idempotency-Key": key}
    for attempt in range(4):
        try:
            request = urllib.request.Request(f"{URL}/api/v1/authorizations{path}", data, headers, method="POST")
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            problem = f"{error.code} {error.read().decode()}"
            if error.code != 429 and error.code < 500:
                break
        except (OSError, ValueError) as error:  # it may have happened: asked again under the same key
            problem = str(error)
        time.sleep(random.random() * 0.1 * 2**attempt)
    return {"decision": False, "problem": problem}


def payment(ref):
    return {"ref": ref, "member": os.environ["MANDATE_MEMBER"], "operation": "wires.transmit",
            "account": os.environ["MANDATE_ACCOUNT"], "amount": "10.00"}


def say(word, answer):
    print(word, json.dumps(answer.get("decision") is True), answer.get("problem", ""))


run = f"python-{time.time_ns()}-{os.getpid()}"
say("authorized", call("", run + "-1", payment(run + "-1")))
say("confirmed", call(f"/{run}-1/confirm", run + "-1-confirm"))  # nothing is sent before this is true

call("", run + "-2", payment(run + "-2"))
say("voided", call(f"/{run}-2/void", run + "-2-void"))
