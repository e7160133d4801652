// How browsertest finds things: by the names that people see or hear.
const mandateFind = (() => {
  const tidy = (s) => (s ?? "").replace(/\s+/g, " ").trim();
  const visible = (e) => e.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
  const byId = (ids) => tidy(ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent).join(" "));

  const nameOf = (e) => {
    if (e.getAttribute("aria-labelledby")) return byId(e.getAttribute("aria-labelledby"));
    if (e.getAttribute("aria-label")) return tidy(e.getAttribute("aria-label"));
    if (e.labels?.length) return tidy([...e.labels].map((l) => labelText(l)).join(" "));
    if (e.matches("tr")) return spoken(e.querySelector("th") ?? e);
    if (e.matches("fieldset")) return tidy(e.querySelector("legend")?.textContent);
    return spoken(e);
  };
  // Text without what is hidden from people who listen.
  const spoken = (e) => {
    const copy = e.cloneNode(true);
    for (const extra of copy.querySelectorAll("[aria-hidden=true]")) extra.remove();
    return tidy(copy.textContent);
  };
  // The word "Optional" and help inside a label are not its name.
  const labelText = (label) => {
    const copy = label.cloneNode(true);
    for (const extra of copy.querySelectorAll(".field-optional, .radio-card-help")) extra.remove();
    return copy.textContent;
  };

  const kinds = {
    pressable: "button, a[href], summary, [role=button], input[type=submit]",
    field: "input:not([type=hidden]), select, textarea",
    part: "section, dialog, form, nav, fieldset, tr, [role=region], [role=group], table",
  };
  const matching = (root, kind, name) => {
    const all = [...root.querySelectorAll(kinds[kind])].filter(visible);
    const named = all.map((e) => [nameOf(e), e]);
    for (const fits of [(n) => n === name, (n) => n.startsWith(name + " "), (n) => kind === "part" && n.includes(name)]) {
      const hit = named.find(([n]) => fits(n));
      if (hit) return { hit: hit[1], names: [] };
    }
    return { hit: null, names: named.map(([n]) => n).filter(Boolean).slice(0, 40) };
  };

  const rootOf = (scope) => {
    let root = document.querySelector("dialog:modal") ?? document;
    for (const name of scope) {
      root = matching(root, "part", name).hit;
      if (!root) return null;
    }
    return root;
  };

  // Where to press so that this element, and nothing over it, is pressed.
  const pointOf = (e) => {
    let box = e.getBoundingClientRect();
    const out = box.top < 60 || box.bottom > innerHeight - 60 || box.left < 0 || box.right > innerWidth;
    if (out) e.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
    box = [...e.getClientRects()].find((b) => b.width > 0 && b.height > 0) ?? e.getBoundingClientRect();
    const x = box.left + box.width / 2;
    const y = box.top + box.height / 2;
    const top = document.elementFromPoint(x, y);
    const own = top && (e.contains(top) || top.contains(e) || [...(e.labels ?? [])].some((l) => l.contains(top)));
    return { x, y, covered: own ? "" : top ? top.outerHTML.slice(0, 120) : "the edge of the screen" };
  };

  const get = (scope, kind, name) => {
    const root = rootOf(scope);
    return root ? matching(root, kind, name) : { hit: null, names: ["nothing: no such part"] };
  };

  return {
    root(scope) {
      return rootOf(scope);
    },
    find(scope, kind, name) {
      const { hit, names } = get(scope, kind, name);
      if (!hit) return { Found: false, Near: names };
      const point = pointOf(hit);
      return { Found: true, X: point.x, Y: point.y, Covered: point.covered, Checked: hit.checked === true, Off: hit.disabled === true, Value: hit.value ?? "" };
    },
    clear(scope, name) {
      const { hit } = get(scope, "field", name);
      if (hit.disabled || hit.readOnly) throw new Error(name + " cannot be changed");
      hit.focus();
      hit.select();
      hit.value = "";
      hit.dispatchEvent(new Event("input", { bubbles: true }));
      return hit.matches("textarea, [type=text], [type=search], [type=email], [type=password], [type=tel], [type=url], input:not([type])");
    },
    choose(scope, name, option) {
      const { hit } = get(scope, "field", name);
      if (hit.disabled) throw new Error(name + " cannot be changed");
      const found = [...(hit.options ?? [])].find((o) => tidy(o.textContent) === option);
      if (!found) throw new Error(`${name} has no option ${option}; it has ${[...(hit.options ?? [])].map((o) => tidy(o.textContent))}`);
      hit.value = found.value;
      hit.dispatchEvent(new Event("input", { bubbles: true }));
      hit.dispatchEvent(new Event("change", { bubbles: true }));
      return true;
    },
    attach(scope, name, file, kind, content) {
      const { hit } = get(scope, "field", name);
      const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
      const chosen = new DataTransfer();
      chosen.items.add(new File([bytes], file, { type: kind }));
      hit.files = chosen.files;
      hit.dispatchEvent(new Event("change", { bubbles: true }));
      return true;
    },
    text(scope) {
      const root = rootOf(scope);
      return root ? ((root === document ? document.body : root)?.innerText ?? "").replace(/[ \u00a0]+/g, " ") : "";
    },
    focused() {
      const e = document.activeElement;
      return !e || e === document.body ? "" : nameOf(e);
    },
  };
})();
