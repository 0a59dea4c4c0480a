/**
 * Shapes that cross module borders. Types only: nothing here runs. Those of messages are generated.
 *
 * @typedef {import("./messages.js").Vec3} Vec3
 * @typedef {import("./messages.js").VectorsByClass} VectorsByClass
 * @typedef {import("./messages.js").Forces} Forces
 * @typedef {import("./messages.js").ProjectionHeader} ProjectionHeader
 * @typedef {import("./messages.js").FrameHeader} FrameHeader
 * @typedef {import("./messages.js").Mark} Mark
 * @typedef {import("./messages.js").Reading} Reading
 * @typedef {import("./messages.js").RunHeader} RunHeader
 * @typedef {import("./messages.js").StateHeader} StateHeader
 * @typedef {import("./messages.js").ClockHeader} ClockHeader
 * @typedef {import("./messages.js").ErrorHeader} ErrorHeader
 *
 * @typedef {{x: number, y: number, w: number, h: number}} Rect  CSS pixels, origin top left
 *
 * @typedef {{name: string, title: string, short: string, classes?: number}} ProjectionChoice  `classes`: how many it takes
 *
 * @typedef {object} MarkValues   of one mark in one frame; places are 3 values each, the unit sphere being PLACE_SCALE
 * @property {Uint16Array} y       classes
 * @property {Int16Array} [places] points, and the middles of caps
 * @property {Uint16Array} [age]   points: steps since they were stored
 * @property {Uint16Array} [angle] caps: half-angle, a degree being ANGLE_SCALE; absent in a projection
 * @property {Int16Array} [a]      segments: where they begin
 * @property {Int16Array} [b]      segments: where they end
 *
 * @typedef {object} Frame
 * @property {FrameHeader} header
 * @property {Int16Array} xyz                    3 n values, the unit sphere being PLACE_SCALE
 * @property {Uint16Array|null} predictions      class of each point, where the method has a classifier
 * @property {Uint8Array|null} confidence        probability of the predicted class, in units of 1 / CONFIDENCE_SCALE
 * @property {Uint16Array|null} loss             of the method's own classifier, in units of 1 / LOSS_SCALE; 65535 stands
 *   for all beyond
 * @property {Uint8Array|null} present           0 for samples of which nothing is known at this step; null where all are
 *   there
 * @property {Uint32Array|null} rows             growing, in a first look: the only points that have come; else null
 * @property {number} absent                     how many they are
 * @property {Map<string, MarkValues>} marks   those that have places, by key
 *
 * @typedef {object} RunInfo
 * @property {RunHeader} header
 * @property {Uint16Array} labels            class by rank; num_classes or more (NO_CLASS on the wire): no label
 * @property {Uint8Array} split              0 train, 1 test, 2 validation
 * @property {Int32Array|null} ids           sample ids, the same in every run of a race
 * @property {Uint8Array|null} thumbs        n images of thumb[0] x thumb[1] grey levels, or as many reds, greens and
 *   blues
 * @property {Uint8Array|null} labelSets     samples of several classes: ceil(classes / 8) bytes each, class c is bit
 *   c % 8 of byte c / 8
 * @property {Attribute[]} attributes        what else is known of the samples
 *
 * @typedef {object} Attribute
 * @property {string} name
 * @property {string[]|null} texts           what the values point at; null: they are numbers
 * @property {Float32Array|Int32Array} values one a sample; NaN, or -1 among texts, where nothing is known
 * @property {number} low                    the least and the greatest of numbers
 * @property {number} high
 *
 * @typedef {object} Measure
 * @property {string} key
 * @property {string} title
 * @property {string} unit
 * @property {"lower"|"higher"|"near"|null} better
 * @property {string} short
 * @property {string|null} [caution]
 * @property {boolean} [simplex]    it can reach its best only where a regular simplex fits
 * @property {string} [name]        what it is called under a sphere
 * @property {string} [standsFor]   key of the measure in whose place this one is shown where a run does not know that
 * @property {boolean} [sphere]     it is of the points on the sphere, by which a read-out is not compared
 *
 * @typedef {object} StageData
 * @property {string} stream        address of the WebSocket route, relative to the page or absolute
 * @property {string} token
 * @property {string[]} runs
 * @property {number} [hz]
 * @property {number|null} [step]   hold here at the start
 * @property {number[]} [lit]        ids of samples that the page selects in all panels; other ones than before, or none
 * @property {"light"|"dark"|null} [theme]
 * @property {string[]} [ramp]
 * @property {string[]} [categorical]
 * @property {Measure[]} [measures]  columns of the table
 * @property {Measure[]} [panel]     the numbers under a sphere: the first two of them that are known
 * @property {Record<string, string>} [titles] what the page calls a run, in place of its own title
 * @property {Partial<import("../words.js").Words>} [words]
 * @property {string|null} [projection]
 * @property {ProjectionChoice[]} [projections]  for the View menu, the default first
 * @property {string} [opening]     what to restore where the page's own address says nothing, as in a link
 * @property {import("../saving/scene.js").SceneWish|null} [scene]  what is to be seen now, as a lesson sets it
 * @property {import("../choices/waiting.js").Deed|null} [wait]  what a lesson waits for
 * @property {boolean} [pointing]   a click on a sphere points at a class, as a lesson asks
 * @property {string|null} [told]   what the picture shows, in words, for those who do not see it
 * @property {boolean} [replay]     the page holds frames and styles itself, and no server is behind it
 * @property {boolean} [guest]      the page is somebody else's: its address is neither read nor written
 * @property {string} [reduced]     what the page's address takes away, where the stage does not read it itself
 * @property {PageControl[]} [controls]  what a link can take away of the page around
 * @property {string} [caption]     what a film of it says at first; a person may write something else
 * @property {string} [welcome]     newcomers are welcome here; selector of what the last stop of the tour points at
 * @property {boolean} [waits]      the page wants to be told once points are seen
 * @property {boolean} [cards]      the page can show the card of a run's method
 * @property {string|null} [ledger]  selector of the page's ledger of pulls, which a card leads to
 * @property {string} [view]        which stage on the page this is; each keeps its own camera
 *
 * @typedef {{name: string, title: string, fixable?: boolean}} PageControl   of the page around, for a link
 *
 * @typedef {{yaw: number, pitch: number, distance: number}} Pose  radians, and sphere radii from eye to centre
 */
export {};
