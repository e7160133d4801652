// Passkeys: takes what the server asks to the browser, and the browser's answer
// back to the server. It judges nothing, and every word that it shows stands on
// the page. The listener is delegated, so that forms may come and go.
(() => {
  "use strict";
  const say = (form, what) => {
    form.querySelector("[data-passkey-message]").textContent = what ? form.dataset["passkey" + what] : "";
  };

  // What is asked stands on the form, or is fetched when it is needed.
  const question = async (form) => {
    if (form.dataset.passkeyOptions) return JSON.parse(form.dataset.passkeyOptions).publicKey;
    const answer = await fetch(form.dataset.passkeyAsk, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.redirected) location.assign(answer.url);
    return (await answer.json()).publicKey;
  };

  const answer = async (asked) => {
    const key = asked.rp
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
    return JSON.stringify(key);
  };

  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("[data-passkey-use]");
    if (!button || button.disabled) return;
    const form = button.form;
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return say(form, "Unsupported");
    say(form, "");
    button.disabled = true;
    try {
      form.elements[button.dataset.passkeyUse].value = await answer(await question(form));
      form.requestSubmit();
    } catch (error) {
      say(form, error.name === "NotAllowedError" ? "Cancelled" : "Failed");
    } finally {
      button.disabled = false;
    }
  });
})();
