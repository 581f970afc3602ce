// Feedback: what was written is not lost where it cannot be stored, what became of it is said, and the keys stay here.
"use strict";

{
  // The panel whose answer is on its way into the page.
  let answered = "";

  const panelOf = (element) => element?.closest(".scores");
  const written = (form) => form.querySelector("textarea");

  function tell(panel, words) {
    panel.querySelector("[role=alert]")?.remove();
    const line = document.createElement("p");
    line.className = "error-text";
    line.setAttribute("role", "alert");
    line.textContent = words;
    panel.querySelector("[id^=list-]").prepend(line);
  }

  // Kept from before it is sent until it is stored: whoever has to sign in again finds it in its place.
  function keep(form) {
    if (written(form).value !== written(form).defaultValue) sessionStorage.setItem(form.dataset.draft, written(form).value);
  }

  function bringBack() {
    for (const form of document.querySelectorAll("form.feedback")) {
      const text = sessionStorage.getItem(form.dataset.draft);
      sessionStorage.removeItem(form.dataset.draft);
      if (text === null || text === written(form).value) continue;
      written(form).value = text;
      form.querySelector(".remark").open = true;
      tell(panelOf(form), "Your comment is not saved yet.");
    }
  }

  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    const form = detail.elt.closest("form.feedback");
    if (form) keep(form);
  });

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const panel = panelOf(detail.requestConfig.elt);
    if (!panel || detail.requestConfig.verb !== "post") return;
    if (detail.serverResponse.includes(`id="${panel.id}"`)) {
      if (!detail.isError) sessionStorage.removeItem(panel.querySelector("form.feedback")?.dataset.draft);
      answered = panel.id;
      return;
    }
    detail.shouldSwap = false;
    tell(panel, detail.xhr.status === 403
      ? "This was not saved: you were signed out since, or may not say it any more. Reload the page; what you wrote is kept."
      : "This was not saved: the server did not answer as it should. Try again.");
  });

  document.addEventListener("htmx:sendError", ({ detail }) => {
    const panel = panelOf(detail.requestConfig.elt);
    if (panel && detail.requestConfig.verb === "post") tell(panel, "This was not saved: the server did not answer. Try again.");
  });

  document.addEventListener("htmx:afterSettle", () => {
    const panel = document.getElementById(answered);
    answered = "";
    if (!panel) return;
    const done = panel.querySelector("[data-done]");
    if (done) {
      announce(done.textContent);
      done.remove();
    }
    // The button that was pressed is gone, or folded away.
    if (document.activeElement === document.body) panel.querySelector(".remark summary")?.focus();
  });

  document.addEventListener("htmx:afterSwap", ({ detail }) => { if (detail.target?.id === "step") bringBack(); });
  bringBack();
}
