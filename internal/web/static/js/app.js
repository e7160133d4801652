// What a script adds to pages that work without one. All listeners are
// delegated from the document, so what htmx swaps in needs no wiring, and
// nothing here decides anything: rules live on the server.
(() => {
  "use strict";
  const on = (type, selector, handle) =>
    document.addEventListener(type, (event) => {
      const found = event.target instanceof Element && event.target.closest(selector);
      if (found) handle(found, event);
    });

  // Toasts. A screen reader hears what is added to a live region, not what was
  // there when the page came: so each is put in once more.
  const announce = () => {
    for (const toast of document.querySelectorAll("[data-toast]")) {
      const region = toast.parentElement;
      toast.remove();
      setTimeout(() => region.append(toast), 150);
    }
  };
  on("click", "[data-dismiss]", (button) => button.closest("[data-toast]").remove());

  // Menus are details elements: close them on a click elsewhere or Escape.
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(except)) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("focusin", (event) => closeMenus(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details[data-menu][open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // Dialogs come from the server into #dialog and leave nothing behind.
  document.addEventListener("htmx:after:swap", () => {
    const dialog = document.querySelector("#dialog > dialog:not([open])");
    if (!dialog) return;
    dialog.showModal();
  });
  document.addEventListener("close", (event) => {
    if (!event.target.matches("dialog[data-dialog]")) return;
    if (event.target.dataset.after) location.assign(event.target.dataset.after);
    event.target.remove();
  }, true); // it does not bubble
  on("click", "[data-close]", (button) => button.closest("dialog").close());
  on("click", "dialog[data-dialog]", (dialog, event) => {
    if (event.target === dialog) dialog.close();
  });

  // An answer that is not a part of this page is shown as the page it is.
  document.addEventListener("htmx:response:error", (event) => {
    const ctx = event.detail.ctx;
    if (ctx.request.method === "GET" && ctx.response.status !== 422) location.assign(ctx.request.action);
  });

  document.addEventListener("htmx:error", () => {
    const toast = document.querySelector("[data-toast-template]").content.cloneNode(true);
    document.querySelector("[data-toasts]").replaceChildren(toast);
  });

  on("click", "[data-reveal]", (button) => {
    const input = document.getElementById(button.dataset.reveal);
    const show = input.type === "password";
    input.type = show ? "text" : "password";
    button.setAttribute("aria-pressed", String(show));
    button.querySelector("span").textContent = show ? "Hide" : "Show";
  });

  on("click", "[data-print]", () => window.print());
  on("click", "[data-copy]", async (button) => {
    const label = button.querySelector(".button-label");
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    label.textContent = "Copied";
    setTimeout(() => { label.textContent = "Copy"; }, 2000);
  });

  // Money is written as money when its field is left; nonsense stays as typed.
  on("focusout", "[data-money]", (input) => {
    const plain = input.value.trim().replace(/^\$/, "").replaceAll(",", "");
    if (!/^\d{1,10}(\.\d{1,2})?$/.test(plain)) return;
    const [whole, cents = ""] = plain.split(".");
    input.value = BigInt(whole).toLocaleString("en-US") + "." + cents.padEnd(2, "0");
  });

  // A file that would be refused for its size is not sent at all.
  const tooLarge = (input) => {
    const bytes = Math.max(0, ...[...input.files].map((file) => file.size));
    const wrong = bytes > input.dataset.most * 2 ** 20;
    const said = document.getElementById(`${input.id}-large`);
    said.hidden = !wrong;
    if (wrong) said.querySelector("[data-large]").textContent = `This file has ${(bytes / 2 ** 20).toFixed(1)} MiB; at most ${input.dataset.most} MiB can be sent. Choose another one.`;
    return wrong;
  };
  on("change", "input[data-most]", tooLarge);
  document.addEventListener("submit", (event) => {
    const wrong = [...event.target.querySelectorAll("input[data-most]")].find(tooLarge);
    if (!wrong) return;
    event.preventDefault();
    wrong.focus();
  });

  // A form that is on its way is not sent again, for a while: its answer may be
  // a file, which leaves the page as it is.
  const again = (form) => {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[data-was]")) {
      button.removeAttribute("aria-busy");
      button.querySelector(".button-label").textContent = button.dataset.was;
      delete button.dataset.was;
    }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "true";
    if (button?.dataset.busy) {
      const label = button.querySelector(".button-label");
      button.setAttribute("aria-busy", "true");
      button.dataset.was = label.textContent;
      label.textContent = button.dataset.busy;
    }
    setTimeout(again, 15000, form);
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(again));

  // The bar below a permission form counts what differs from the page as it came.
  const value = (e) => (e.type === "checkbox" || e.type === "radio" ? e.checked : e.value.trim());
  const original = (e) => {
    if (e.type === "checkbox" || e.type === "radio") return e.defaultChecked;
    if (e instanceof HTMLSelectElement) return [...e.options].find((o) => o.defaultSelected)?.value ?? e.options[0]?.value;
    return e.defaultValue.trim();
  };
  const tally = (form) => {
    const text = form.querySelector("[data-savebar-text]");
    if (!text) return;
    text.dataset.first ??= text.textContent;
    const n = [...form.elements].filter((e) => e.name && e.type !== "hidden" && e.type !== "submit" && value(e) !== original(e)).length;
    text.textContent = n === 0 ? text.dataset.first : n === 1 ? "1 change" : `${n} changes`;
  };
  // A form that the server draws anew while somebody edits it shows what the
  // server says: a control that was touched keeps its own mind otherwise. What
  // is being typed at this moment stays.
  document.addEventListener("htmx:after:swap", () => {
    for (const e of document.querySelectorAll("form[data-redrawn] :is(input, select)")) {
      if (e === document.activeElement && ["text", "search"].includes(e.type)) continue;
      if (e.type === "checkbox" || e.type === "radio") e.checked = e.defaultChecked;
      else if (e instanceof HTMLSelectElement) for (const o of e.options) o.selected = o.defaultSelected;
      else e.value = e.defaultValue;
    }
  });

  document.addEventListener("input", (event) => { if (event.target.form) tally(event.target.form); });
  document.addEventListener("reset", (event) => setTimeout(() => tally(event.target)));

  // Somebody who does nothing for long is asked whether they are there. Whatever
  // reaches the server starts the wait anew; other tabs of the same sign-in are
  // asked for themselves.
  const idle = () => {
    const dialog = document.querySelector("dialog[data-idle-ask]");
    if (!dialog) return;
    let ask, end;
    const wait = () => {
      clearTimeout(ask);
      clearTimeout(end);
      ask = setTimeout(() => dialog.showModal(), dialog.dataset.idleAsk * 1000);
      end = setTimeout(() => location.reload(), dialog.dataset.idleEnds * 1000);
    };
    dialog.addEventListener("submit", async (event) => {
      event.preventDefault();
      const form = event.target;
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" }).catch(() => null);
      if (answer?.status !== 204) return location.reload();
      delete form.dataset.sent;
      dialog.close();
      wait();
    });
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.addEventListener("htmx:after:swap", wait);
    wait();
  };
  document.addEventListener("DOMContentLoaded", idle);

  // However much somebody does, a sign-in ends: that is said a few minutes before.
  document.addEventListener("DOMContentLoaded", () => {
    const dialog = document.querySelector("dialog[data-last]");
    if (dialog) setTimeout(() => dialog.showModal(), dialog.dataset.last * 1000);
  });

  // A form that only waits for a button, because nothing is done by coming to a
  // page, is sent as it is.
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-send-now] form")?.requestSubmit();
  });

  document.addEventListener("DOMContentLoaded", announce);
})();
