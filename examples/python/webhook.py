"""Verifies a webhook: webhook.py ID TIMESTAMP SIGNATURE, the body on standard
input, the secret in MANDATE_WEBHOOK_SECRET. Prints the body if it is genuine and
not older than five minutes; fails otherwise."""
import base64
import hashlib
import hmac
import os
import sys
import time


def verify(secret, identifier, timestamp, signatures, body, tolerance=300):
    """Takes the body as the bytes that came in, before anything parsed them."""
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > tolerance:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{identifier}.{timestamp}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # Several stand there while the secret is rotated.
    return any(hmac.compare_digest(one.encode(), want.encode()) for one in signatures.split())


if __name__ == "__main__":
    content = sys.stdin.buffer.read()
    if not verify(os.environ["MANDATE_WEBHOOK_SECRET"], *sys.argv[1:4], content):
        sys.exit("not genuine, or too old")
    sys.stdout.buffer.write(content)
