// Is this file, byte for byte, the edition? The file stays in the browser: only its digest is asked about.
//   <div data-check-file> <input type="file"> <form> <input name="sha256"> … </form> <p data-check-error hidden> </div>
async function digestOf(file) {
  const bytes = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function check(zone, file) {
  const form = zone.matches("form") ? zone : zone.querySelector("form") ?? zone.closest("form");
  const field = form?.querySelector("[data-digest], [name=sha256], [name=digest]");
  const fault = zone.querySelector("[data-check-error]");
  if (!field || !file) return;
  try {
    field.value = await digestOf(file);
    zone.querySelectorAll("input[type=file]").forEach((input) => { input.disabled = true; });
    form.requestSubmit();
  } catch {
    if (fault) fault.hidden = false;
  }
}

export function watchDroppedFiles() {
  document.querySelectorAll("[data-check-file]").forEach((zone) => {
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("is-over");
      check(zone, event.dataTransfer.files[0]);
    });
    zone.querySelectorAll("input[type=file]").forEach((input) => {
      input.disabled = false;
      input.addEventListener("change", () => check(zone, input.files[0]));
    });
  });
}
