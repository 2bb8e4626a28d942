// Everything here adds to pages that can be read without it: changes of others
// appear as they happen, forms are sent without losing what was typed, keys.
import { follow } from "./live.js";
import { takeOverForms } from "./forms.js";
import { keys } from "./keys.js";
import { rollouts } from "./rollout.js";
import { searching } from "./search.js";
import { checking } from "./check.js";
import { files } from "./file.js";
import { copying } from "./copy.js";

takeOverForms();
keys();
rollouts();
searching();
checking();
copying();
files();
follow();
document.body.classList.add("scripts");
