// Verifies a webhook: node webhook.mjs ID TIMESTAMP SIGNATURE, the body on
// standard input, the secret in MANDATE_WEBHOOK_SECRET. Prints the body if it is
// genuine and not older than five minutes; fails otherwise.
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

// verify takes the body as the bytes that came in, before anything parsed them.
export function verify(secret, id, timestamp, signatures, body, tolerance = 300) {
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > tolerance) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const want = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  return signatures.split(" ").some((one) => { // several while the secret is rotated
    const [version, text = ""] = one.split(",");
    const got = Buffer.from(text, "base64");
    return version === "v1" && got.length === want.length && timingSafeEqual(got, want);
  });
}

const [id, timestamp, signatures] = process.argv.slice(2);
const body = readFileSync(0);
if (!verify(process.env.MANDATE_WEBHOOK_SECRET, id, timestamp, signatures, body)) {
  console.error("not genuine, or too old");
  process.exit(1);
}
process.stdout.write(body);
