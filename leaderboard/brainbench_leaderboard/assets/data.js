"use strict";
// What data files fill: a value by the name of its file.
const brainbenchData = Object.create(null);
