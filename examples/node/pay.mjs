// Carries two payments: one is authorized and confirmed, which is the moment at
// which it may go; the other is authorized and given back. The Idempotency-Key
// makes every call one that can be repeated after a failure.
import { setTimeout as sleep } from "node:timers/promises";

const { MANDATE_URL, MANDATE_KEY, MANDATE_MEMBER, MANDATE_ACCOUNT } = process.env;

async function call(path, key, body) {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch(`${MANDATE_URL}/api/v1/authorizations${path}`, {
        method: "POST", redirect: "error", signal: AbortSignal.timeout(5000), body: body && JSON.stringify(body),
        headers: { Authorization: `Bearer ${MANDATE_KEY}`, "Content-Type": "application/json", "Idempotency-Key": key },
      });
      if (answer.status === 200) return await answer.json();
      if (answer.status !== 429 && answer.status < 500) return { decision: false, problem: await answer.text() };
      throw new Error(`status ${answer.status}`);
    } catch (error) { // no answer: it may have happened, and is asked again under the same key
      if (attempt === 4) return { decision: false, problem: error.message };
      await sleep(100 * 2 ** attempt * Math.random());
    }
  }
}

const payment = (ref) => ({ ref, member: MANDATE_MEMBER, operation: "wires.transmit", account: MANDATE_ACCOUNT, amount: "10.00" });
const say = (word, answer) => console.log(word, answer.decision === true, ...(answer.problem ? [answer.problem] : []));
const run = `node-${Date.now()}-${process.pid}`;

say("authorized", await call("", `${run}-1`, payment(`${run}-1`)));
say("confirmed", await call(`/${run}-1/confirm`, `${run}-1-confirm`)); // nothing is sent before this is true

await call("", `${run}-2`, payment(`${run}-2`));
say("voided", await call(`/${run}-2/void`, `${run}-2-void`));
