// Unsaved work, kept in this browser until the server has it.
const PREFIX = "r2pflow-draft:";

export function readDraft(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

/** Keep the draft; silently keep nothing where the browser has no room or forbids it. */
export function keepDraft(key, draft) {
  try {
    localStorage.setItem(PREFIX + key, JSON.stringify(draft));
  } catch { /* the text is still in the form */ }
}

export function dropDraft(key) {
  try {
    localStorage.removeItem(PREFIX + key);
  } catch { /* nothing was kept */ }
}

export function markSent(key) {
  const draft = readDraft(key);
  if (draft) keepDraft(key, { ...draft, sent: true });
}

function sentKeys() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length))
      .filter((key) => readDraft(key)?.sent);
  } catch {
    return [];
  }
}

/**
 * Drop the drafts that reached the server: the page after the form came by a redirect and is no error. Any other
 * page (the form again with its faults, an error, a reload after a lost connection) leaves them as unsaved.
 */
export function settleSentDrafts() {
  const keys = sentKeys();
  if (!keys.length) return;
  const [navigation] = performance.getEntriesByType("navigation");
  const isSaved = navigation?.type === "navigate" && navigation.redirectCount > 0
    && (navigation.responseStatus ?? 200) < 400;
  for (const key of keys) {
    if (isSaved) dropDraft(key);
    else keepDraft(key, { ...readDraft(key), sent: false });
  }
}
