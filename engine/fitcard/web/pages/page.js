// What a page does without being loaded anew: it asks the same addresses that it would without this script.
"use strict";

const main = () => document.getElementById("main");

async function show(address, push) {
  const response = await fetch(address, { headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  main().replaceWith(page.getElementById("main"));
  document.title = page.title;
  if (push) history.pushState({}, "", address);
}

function addressOf(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) asked.append(name, value);
  return `${form.getAttribute("action")}?${asked}`;
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form.question");
  if (form) show(addressOf(form), true);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form.question")) return;
  event.preventDefault();
  show(addressOf(event.target), true);
});

document.addEventListener("click", async (event) => {
  const plain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.button);
  const inside = event.target.closest(".modes a, tbody th a");
  const why = event.target.closest("a.why");
  if (why && plain) {
    event.preventDefault();
    const page = new DOMParser().parseFromString(await (await fetch(why.href)).text(), "text/html");
    const dialog = document.getElementById("why");
    dialog.querySelector("div").replaceChildren(...page.getElementById("main").childNodes);
    dialog.showModal();
  } else if (inside && plain && document.querySelector("form.question")) {
    event.preventDefault();
    show(inside.getAttribute("href"), true);
  } else if (event.target.closest("dialog .close")) {
    event.target.closest("dialog").close();
  } else if (event.target.closest("button.copy")) {
    const button = event.target.closest("button.copy");
    await navigator.clipboard.writeText(document.getElementById("snippet").textContent);
    button.textContent = button.dataset.copied;
  }
});

window.addEventListener("popstate", () => show(location.pathname + location.search, false));

// A field that finds entries of a catalog while one types: a combobox as ARIA describes it.
let numberOfLists = 0;
for (const field of document.querySelectorAll("input[data-search]")) {
  const list = document.createElement("ul");
  list.className = "found";
  list.id = `found-${(numberOfLists += 1)}`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", field.dataset.search);
  field.after(list);
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");
  let chosen = -1;

  const open = (yes) => {
    list.hidden = !yes;
    field.setAttribute("aria-expanded", String(yes));
    if (!yes) field.removeAttribute("aria-activedescendant");
  };
  const choose = (at) => {
    chosen = at;
    [...list.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === at)));
    if (at >= 0) {
      field.setAttribute("aria-activedescendant", list.children[at].id);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
  };
  const take = (item) => {
    field.value = item.textContent;
    open(false);
  };
  let asked = 0;
  field.addEventListener("input", async () => {
    const mine = (asked += 1);
    const letters = field.value;
    const found = field.value.length < 2 ? [] : (await (await fetch(`/v1/search/${field.dataset.search}?q=${encodeURIComponent(field.value)}`)).json()).found;
    if (mine !== asked) return;
    list.replaceChildren(...found.map((one, number) => {
      const item = document.createElement("li");
      item.setAttribute("role", "option");
      item.id = `${list.id}-${number}`;
      item.textContent = one.name;
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(item); });
      return item;
    }));
    choose(-1);
    list.dataset.of = letters;
    open(found.length > 0);
  });
  field.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (list.hidden || !count) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose((chosen + (event.key === "ArrowDown" ? 1 : -1) + count) % count);
    } else if (event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      take(list.children[chosen]);
    } else if (event.key === "Escape") {
      open(false);
    }
  });
  field.addEventListener("blur", () => open(false));
}
