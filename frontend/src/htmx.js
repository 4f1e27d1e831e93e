// htmx is configured by <meta name="htmx-config">, since a strict Content-Security-Policy forbids inline script.
import htmx from "htmx.org";

window.htmx = htmx;
