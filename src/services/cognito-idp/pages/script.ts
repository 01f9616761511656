/**
 * What passkeys need: the browser's answer goes into the form, which is then sent. The options and the place for the answer are in
 * the form's data attributes; where there is no JavaScript, the page says so.
 */
export const script = `
"use strict";
(() => {
  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
  const withBytes = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));
  const ask = async (kind, options) => {
    if (kind === "get") {
      const publicKey = { ...options, challenge: toBytes(options.challenge), allowCredentials: withBytes(options.allowCredentials) };
      return navigator.credentials.get({ publicKey });
    }
    const publicKey = {
      ...options,
      challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: withBytes(options.excludeCredentials),
    };
    return navigator.credentials.create({ publicKey });
  };
  const toJson = (credential) => {
    const { response } = credential;
    const answer = { clientDataJSON: toText(response.clientDataJSON) };
    for (const name of ["authenticatorData", "signature", "attestationObject"]) {
      if (response[name]) answer[name] = toText(response[name]);
    }
    if (response.userHandle && response.userHandle.byteLength > 0) answer.userHandle = toText(response.userHandle);
    if (response.getTransports) answer.transports = response.getTransports();
    return {
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response: answer,
      clientExtensionResults: credential.getClientExtensionResults(),
      authenticatorAttachment: credential.authenticatorAttachment || undefined,
    };
  };
  for (const form of document.querySelectorAll("form[data-webauthn]")) {
    const run = async () => {
      const error = document.getElementById("passkey-error");
      try {
        const credential = await ask(form.dataset.webauthn, JSON.parse(form.dataset.options));
        form.elements.credential.value = JSON.stringify(toJson(credential));
        form.submit();
      } catch (reason) {
        if (error) { error.hidden = false; error.textContent = String(reason && reason.message ? reason.message : reason); }
      }
    };
    form.addEventListener("submit", (event) => { event.preventDefault(); void run(); });
    if (form.dataset.webauthn === "get") void run();
  }
})();
`;
