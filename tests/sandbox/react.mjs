// React, used to write pages down and never in a browser.

import { load } from "./npm.mjs";

process.env.NODE_ENV ??= "production";

export const { createElement: h, Fragment } = load("react");
export const { renderToStaticMarkup } = load("react-dom/server");
export const { Message } = load("slack-blocks-to-jsx");
