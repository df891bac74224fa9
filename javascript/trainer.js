// The door: the host loads this script with its page; the trainer's page is loaded once its place in the tab is there.
// A classic script, as the WebUIs load it, that must leave the host alone whatever happens in the trainer.

(function () {
    "use strict";

    const script = document.currentScript;
    const RETRY_MILLISECONDS = [1000, 2000, 5000, 10000];
    const LOOK_MILLISECONDS = 250;
    const FAILED = "The trainer's page can't be loaded from the server. It tries again by itself; if this stays, restart the WebUI.";
    const NOTES = { "trainer-note-txt2img": "txt2img_generate_box", "trainer-note-img2img": "img2img_generate_box" };

    let page = null; // what draws into `root` now
    let root = null;
    let isLoading = false;
    let tries = 0;

    // The server's address, which may be below a sub-path: before `file=` where the host serves this script as a file.
    function base() {
        const source = (script && script.src) || "";
        const match = /^(.*?\/)(?:gradio_api\/)?file=/.exec(source) || /^(.*?\/)trainer\/page\//.exec(source);
        if (match) return match[1];
        const config = window.gradio_config || {};
        const place = typeof config.root === "string" && config.root ? config.root.replace(/\/*$/, "/") : ".";
        return new URL(place, document.baseURI).href;
    }

    function app() {
        return typeof window.gradioApp === "function" ? window.gradioApp() : document;
    }

    function byId(id) {
        const place = app();
        return place.getElementById ? place.getElementById(id) : place.querySelector("#" + id);
    }

    async function open(place) {
        isLoading = true;
        try {
            const module = await import(base() + "trainer/page/main.mjs" + (tries ? "?again=" + tries : ""));
            if (page) page.stop();
            root = place;
            page = module.start(place);
            tries = 0;
        } catch (error) {
            console.warn("trainer:", error);
            if (!place.hasChildNodes() || tries) place.textContent = FAILED;
            const pause = RETRY_MILLISECONDS[Math.min(tries, RETRY_MILLISECONDS.length - 1)];
            tries += 1;
            await new Promise((resume) => setTimeout(resume, pause));
        }
        isLoading = false;
    }

    // The place may come late, and be made anew when the host draws its tabs again. A host that empties its page, as
    // for `Reload UI`, is left alone: AUTOMATIC1111 dies of a request that reaches it while it starts.
    function look() {
        if (page && !root.isConnected) {
            page.stop();
            page = root = null;
        }
        const place = byId("trainer-root");
        if (place && !isLoading && (place !== root || !place.querySelector("#trainer"))) open(place);
    }

    function note(id, box, text) {
        let element = byId(id);
        if (!element && !text) return;
        if (!element) {
            const place = byId(box);
            if (!place) return;
            element = document.createElement("div");
            element.id = id;
            element.setAttribute("role", "status");
            place.insertAdjacentElement("afterend", element);
        }
        if (element.textContent !== text) element.textContent = text;
        if (element.hidden !== !text) element.hidden = !text;
    }

    // Beside the WebUI's Generate buttons, as long as they have to wait for a run.
    window.addEventListener("trainer-now", function (event) {
        const holds = event.detail.now && event.detail.now.holds_webui;
        const left = event.detail.left ? " (" + event.detail.left + " left)" : "";
        const text = holds ? "The trainer is using the graphics card" + left + "; Generate waits until it is done." : "";
        for (const id of Object.keys(NOTES)) note(id, NOTES[id], text);
    });

    // The modules come while the host still draws its own page; what fails now is asked for again in `open`.
    import(base() + "trainer/page/main.mjs").then((module) => module.prepare(), () => {});
    setInterval(look, LOOK_MILLISECONDS);
    look();
})();
