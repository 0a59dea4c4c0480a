/**
 * Shapes that cross module borders. Types only: nothing here runs.
 *
 * @typedef {[number, number, number]} Vec3
 * @typedef {{x: number, y: number, w: number, h: number}} Rect  CSS pixels, origin top left
 * @typedef {{frame: Rect, view: Rect}} PanelRect  `frame` holds title, sphere and numbers; `view` is the sphere's share
 *
 * @typedef {object} Projection
 * @property {string} name
 * @property {number} [kept_variance]     share, 0 to 1
 * @property {number} [kept_angle_order]  Spearman rank correlation of pair angles, -1 to 1
 * @property {number} [kept_centre_order] the same of the angles between class centres
 * @property {number} [trustworthiness]   share, 0 to 1: neighbours here that are neighbours in the embedding
 * @property {number} [jitter]            radii of the sphere that a point moved since the frame before
 * @property {boolean} [linear]
 * @property {string|null} [pending]      the projection that was asked for and is still being computed
 *
 * @typedef {{name: string, title: string, short: string, classes?: number}} ProjectionChoice  `classes`: how many it takes
 *
 * @typedef {object} FrameHeader
 * @property {string} run
 * @property {number} step
 * @property {number} seq
 * @property {number} time       Unix seconds
 * @property {boolean} live
 * @property {number} n          points in the payload
 * @property {(Vec3|null)[]} centres
 * @property {Record<string, Vec3[]>} landmarks
 * @property {number[]|null} target_index
 * @property {Record<string, number>} metrics
 * @property {Record<string, unknown>[]} [events]
 * @property {Projection|null} projection
 * @property {boolean} [predictions]
 * @property {Record<string, [number, number, string]>} [arrays]  bytes from the start of the payload, items, type
 * @property {Record<string, (number|null)[]>} [readings]  by class, or one number
 * @property {Forces} [forces]   absent where none were computed, or where the projection is not linear
 *
 * @typedef {Record<string, Record<string, (Vec3|null)[]>>} Forces  method, part ("total", "positives", …), class; null: not in the batch
 * @typedef {{a: Int16Array, b: Int16Array, y: Uint16Array}} Links  pairs of places, 3 values each (unit sphere = 32767), and their classes
 * @typedef {{points: Int16Array, y: Uint16Array, age: Uint16Array}} Cloud  a memory: places, classes, steps since they were stored
 *
 * @typedef {object} Frame
 * @property {FrameHeader} header
 * @property {Int16Array} xyz                    3 n values, unit sphere = 32767
 * @property {Uint16Array|null} predictions      class of each point, where the method has a classifier
 * @property {Uint8Array|null} confidence        probability of the predicted class, in units of 1/255
 * @property {Uint16Array|null} loss             of the method's own classifier, in units of 1/4096; 65535 stands for all beyond
 * @property {Map<string, Links>} links
 * @property {Map<string, Cloud>} clouds
 *
 * @typedef {object} RunHeader
 * @property {"run"} type
 * @property {string} run
 * @property {string} title
 * @property {string} method
 * @property {{least: number, cosines: Record<string, number>}} [what_if]  by method: how far its what-if on this run can be trusted
 * @property {string} colour      the method's own colour, #rrggbb
 * @property {string} state
 * @property {string|null} reason
 * @property {number} dim
 * @property {number} num_classes
 * @property {string[]} class_names  ordered by rank: class 0 has most samples
 * @property {number[]} counts       training samples of each class
 * @property {number[]} groups       0 head, 1 medium, 2 tail
 * @property {string} rule           how the groups were cut
 * @property {number|null} total_steps
 * @property {number} n
 * @property {Record<string, [number, number, string]>} arrays
 * @property {[number, number]|[number, number, 3]|null} thumb  height and width of a thumbnail, and 3 where it is in colour
 * @property {Reading[]} [readings]
 *
 * @typedef {{key: string, title: string, unit: string, short: string}} Reading  something a method knows of itself
 *
 * @typedef {object} RunInfo
 * @property {RunHeader} header
 * @property {Uint16Array} labels            class by rank; num_classes or more (65535 on the wire): the sample has no label
 * @property {Uint8Array} split              0 train, 1 test, 2 validation
 * @property {Int32Array|null} ids           sample ids, the same in every run of a race
 * @property {Uint8Array|null} thumbs        n images of thumb[0] x thumb[1] grey levels, or as many reds, greens and blues
 * @property {Uint8Array|null} labelSets     samples of several classes: ceil(classes / 8) bytes each, class c is bit c % 8 of byte c / 8
 *
 * @typedef {object} StateHeader
 * @property {"state"} type
 * @property {string} run
 * @property {string} state
 * @property {string|null} reason
 * @property {number|null} first
 * @property {number|null} last
 * @property {number} frames
 * @property {number|null} total_steps
 * @property {number[]} steps
 * @property {[number, string, string][]} marks
 *
 * @typedef {{type: "clock", mode: "follow"|"play"|"hold", at: number|null, speed: number}} ClockHeader
 * @typedef {{type: "error", run: string|null, message: string}} ErrorHeader
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
 *
 * @typedef {object} StageData
 * @property {string} stream        address of the WebSocket route, relative to the page or absolute
 * @property {string} token
 * @property {string[]} runs
 * @property {number} [hz]
 * @property {number|null} [step]   hold here at the start
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
 * @property {boolean} [replay]     the page is a file that holds frames and styles itself
 * @property {string} [view]        which stage on the page this is; each keeps its own camera
 *
 * @typedef {{yaw: number, pitch: number, distance: number}} Pose  radians, and sphere radii from eye to centre
 */
export {};
