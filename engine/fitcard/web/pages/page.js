// Progressive enhancement: pages are updated without a reload, from the same addresses that they link to.
"use strict";

const main = () => document.getElementById("main");

async function parse(address, options) {
  const response = await fetch(address, options);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function show(address, push) {
  const page = await parse(address, { headers: { accept: "text/html" } });
  main().replaceWith(page.getElementById("main"));
  document.title = page.title;
  if (push) history.pushState({}, "", address);
}

function addressOf(form) {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) query.append(name, value);
  return `${form.getAttribute("action")}?${query}`;
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
  const variant = event.target.closest(".modes a, tbody th a");
  const why = event.target.closest("a.why");
  if (why && plain) {
    event.preventDefault();
    const page = await parse(why.href);
    const dialog = document.getElementById("why");
    dialog.querySelector("div").replaceChildren(...page.getElementById("main").childNodes);
    dialog.showModal();
  } else if (variant && plain && document.querySelector("form.question")) {
    event.preventDefault();
    show(variant.getAttribute("href"), true);
  } else if (event.target.closest("dialog .close")) {
    event.target.closest("dialog").close();
  } else if (event.target.closest("button.copy")) {
    const button = event.target.closest("button.copy");
    await navigator.clipboard.writeText(document.getElementById("snippet").textContent);
    button.textContent = button.dataset.copied;
  }
});

window.addEventListener("popstate", () => show(location.pathname + location.search, false));

// Fields that search a catalog while typing: the combobox pattern of ARIA.
document.querySelectorAll("input[data-search]").forEach((field, number) => {
  const list = document.createElement("ul");
  list.className = "matches";
  list.id = `matches-${number + 1}`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", field.dataset.search);
  field.after(list);
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");
  let selected = -1;
  let requests = 0;

  const open = (yes) => {
    list.hidden = !yes;
    field.setAttribute("aria-expanded", String(yes));
    if (!yes) field.removeAttribute("aria-activedescendant");
  };
  const select = (index) => {
    selected = index;
    [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === index)));
    if (index >= 0) {
      field.setAttribute("aria-activedescendant", list.children[index].id);
      list.children[index].scrollIntoView({ block: "nearest" });
    }
  };
  const accept = (item) => {
    field.value = item.textContent;
    open(false);
  };
  const search = async (letters) => {
    if (letters.length < 2) return [];
    const response = await fetch(`/v1/search/${field.dataset.search}?q=${encodeURIComponent(letters)}`);
    return (await response.json()).found;
  };
  field.addEventListener("input", async () => {
    const request = (requests += 1);
    const letters = field.value;
    const entries = await search(letters);
    if (request !== requests) return; // a later letter is being searched for
    list.replaceChildren(...entries.map((entry, place) => {
      const item = document.createElement("li");
      item.setAttribute("role", "option");
      item.id = `${list.id}-${place}`;
      item.textContent = entry.name;
      item.addEventListener("mousedown", (press) => { press.preventDefault(); accept(item); });
      return item;
    }));
    select(-1);
    list.dataset.of = letters;
    open(entries.length > 0);
  });
  field.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (list.hidden || !count) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      select((selected + (event.key === "ArrowDown" ? 1 : -1) + count) % count);
    } else if (event.key === "Enter" && selected >= 0) {
      event.preventDefault();
      accept(list.children[selected]);
    } else if (event.key === "Escape") {
      open(false);
    }
  });
  field.addEventListener("blur", () => open(false));
});
