// Asks whether somebody may send wires: one question, a batch, and one that
// demands to know at least what the first answer knew. Whatever is not a clear
// yes is a no.
const { MANDATE_URL, MANDATE_KEY, MANDATE_MEMBER, MANDATE_ACCOUNT } = process.env;

async function ask(address, body, revision) {
  const headers = { Authorization: `Bearer ${MANDATE_KEY}`, "Content-Type": "application/json" };
  if (revision) headers["Mandate-Revision"] = revision;
  const answer = await fetch(`${MANDATE_URL}/access/v1/${address}`, {
    method: "POST", headers, body: JSON.stringify(body), redirect: "error", signal: AbortSignal.timeout(5000),
  });
  if (answer.status !== 200) throw new Error(`status ${answer.status}: ${await answer.text()}`);
  return { body: await answer.json(), revision: answer.headers.get("Mandate-Revision") };
}

function wire(amount) { // amounts travel as text, exactly
  return {
    subject: { type: "user", id: MANDATE_MEMBER },
    action: { name: "wires.transmit", properties: { amount } },
    resource: { type: "account", id: MANDATE_ACCOUNT },
  };
}

// may is the decision, and no where there is none.
async function may(question, revision) {
  try {
    const answer = await ask("evaluation", question, revision);
    return [answer.body.decision === true, answer.revision];
  } catch (error) {
    console.error(error.message);
    return [false, null];
  }
}

// mayAll are the decisions about many questions, up to 1,000, in their order.
async function mayAll(questions) {
  try {
    const { evaluations } = (await ask("evaluations", { evaluations: questions })).body;
    if (evaluations.length !== questions.length) throw new Error("an answer is missing");
    return evaluations.map((e) => e.decision === true);
  } catch (error) {
    console.error(error.message);
    return questions.map(() => false);
  }
}

const [single, revision] = await may(wire("9000.00"));
console.log("single", single);
console.log("batch", ...(await mayAll([wire("9000.00"), wire("900000.00")])));
console.log("fresh", (await may(wire("9000.00"), revision))[0]);
