/**
 * Messages of the stream, as `app/service/messages.py` spells them. Generated: change that file, and run
 * `python -m app.service.types_js`.
 *
 * @typedef {[number, number, number]} Vec3
 * @typedef {(Vec3 | null)[]} VectorsByClass
 * @typedef {Record<string, Record<string, VectorsByClass>>} Forces method, part ("total", "positives", …), class
 * @typedef {Record<string, [number, number, string]>} Arrays name: bytes from the start of the payload, items, type
 * @typedef {"disc" | "ring" | "diamond" | "square" | "triangle" | "plus" | "arc" | "shift" | "mist" | "cap" | "arrow"}
 *   Sign the glyph of a mark
 */

/**
 * How an embedding of more than three dimensions is drawn, and how far that can be trusted.
 *
 * @typedef {object} ProjectionHeader
 * @property {string} name
 * @property {boolean} linear
 * @property {string | null} pending The projection that was asked for and is still being computed.
 * @property {string} [error] Why the projection that was asked for is not shown, where it cannot be.
 * @property {number} [kept_variance] Share, 0 to 1.
 * @property {number} [kept_angle_order] Spearman rank correlation of pair angles, -1 to 1.
 * @property {number} [kept_centre_order] The same of the angles between class centres.
 * @property {number} [trustworthiness] Share, 0 to 1: neighbours here that are neighbours in the embedding.
 * @property {number} [jitter] Radii of the sphere that a point moved since the frame before.
 */

/**
 * One step of a run. The payload begins with the points, (n, 3) int16; `arrays` says where the rest lies.
 *
 * @typedef {object} FrameHeader
 * @property {string} run
 * @property {number} step
 * @property {number | null} epoch
 * @property {number | null} seconds
 * @property {number} n Samples of the run. Each has a point in the payload; with the array "rows", those that it names
 *   alone.
 * @property {VectorsByClass} centres
 * @property {Record<string, VectorsByClass>} landmarks Name -> places; by class where there are as many.
 * @property {number[] | null} target_index Row of the landmark "targets" that is each class's.
 * @property {Record<string, number>} metrics
 * @property {Record<string, unknown>[]} [events]
 * @property {ProjectionHeader | null} projection Null where the picture is the embedding itself.
 * @property {boolean} predictions Whether the array "prediction" follows the points: a class for each.
 * @property {Arrays} arrays prediction, loss, confidence, and "marks.<key>.<column>": places, age of points; a, b of
 *   segments; places, angle of caps; y of all. Angles are left out where the picture is not the embedding itself.
 *   "present" is there where some samples are not: 0 for those, which have no place then. "rows", growing, is there in
 *   a first look at a frame of many samples: the points are of these alone, and the same frame follows with all.
 * @property {Record<string, (number | null)[]>} [readings] By class, or one number.
 * @property {Record<string, VectorsByClass>} [vectors] Marks that are one direction a class, by key; absent where the
 *   projection is not linear.
 * @property {Forces} [forces] Absent where none were measured, or the projection is not linear; null: a class that is
 *   not in the batch.
 * @property {number} seq Counts the frames that a viewer gets; it acknowledges each.
 * @property {number} time Unix seconds: when the frame was complete on disk if live, when sent if replayed.
 * @property {boolean} live
 */

/**
 * A number that a method knows of itself: what its queue holds, how many positives it found.
 *
 * @typedef {object} Reading
 * @property {string} key Name in frames, 1 to 60 letters, digits, _ and -: "queue_length".
 * @property {string} title Name for people: "Queue length".
 * @property {string} unit Such as "°" or "steps"; empty for plain numbers.
 * @property {string} short One plain sentence for hover text.
 */

/**
 * Something that a method shows on the sphere. A landmark whose name is `key` is described by it, too.
 *
 * @typedef {object} Mark
 * @property {string} key Name in frames, 1 to 60 letters, digits, _ and -: "views".
 * @property {string} title Name for people: "Two views".
 * @property {string} short One plain sentence for hover text.
 * @property {"points" | "segments" | "caps" | "vectors"} primitive
 * @property {Sign} sign
 * @property {boolean} on Whether it is shown before anybody chose.
 * @property {boolean} directed Segments alone: whether they lead from a to b.
 * @property {Sign} [end] Segments alone: the glyph at each end b, where it is another than at a.
 */

/**
 * How far what-ifs on a run can be trusted.
 *
 * @typedef {object} WhatIfTrust
 * @property {number} least Cosine below which a what-if is not drawn.
 * @property {Record<string, number>} cosines Method -> cosine of its what-if with its own force on runs of its own, as
 *   recorded; -1 to 1.
 */

/**
 * What else is known of every sample. The i-th lies in the array "attribute.<i>".
 *
 * @typedef {object} AttributeHeader
 * @property {string} name
 * @property {number} [low] The smallest of numbers.
 * @property {number} [high]
 * @property {string[]} [texts] Where the array holds indices into texts, -1 for none; else it holds numbers, NaN for
 *   none.
 */

/**
 * What a viewer gets once per run: who it is, and what every sample is.
 *
 * @typedef {object} RunHeader
 * @property {"run"} type
 * @property {string} run
 * @property {string} title
 * @property {string | null} method
 * @property {string} colour The method's own colour, #rrggbb.
 * @property {boolean} readout Whether the points were trained beside the encoder, which they did not steer.
 * @property {string} state
 * @property {string | null} reason
 * @property {number} dim
 * @property {number} num_classes
 * @property {string[]} class_names Ordered by rank: class 0 has most samples.
 * @property {number[]} counts Training samples of each class.
 * @property {number[]} groups 0 head, 1 medium, 2 tail.
 * @property {string} rule How the groups were cut.
 * @property {number | null} total_steps
 * @property {number} n
 * @property {Reading[]} readings
 * @property {Mark[]} marks What frames show, for people; landmarks too, under their names.
 * @property {WhatIfTrust} what_if
 * @property {Arrays} arrays ids, labels, split (0 train, 1 test, 2 validation), label_sets, thumbs, "attribute.<i>".
 * @property {number[] | null} thumb Height and width of a thumbnail, and 3 where it is in colour.
 * @property {AttributeHeader[]} [attributes]
 * @property {string[]} [attributes_left] Names of those that are too large to travel.
 */

/**
 * How a run stands.
 *
 * @typedef {object} StateHeader
 * @property {"state"} type
 * @property {string} run
 * @property {string} state
 * @property {string | null} reason
 * @property {number | null} first
 * @property {number | null} last
 * @property {number} frames
 * @property {number | null} total_steps
 * @property {number[]} steps Those that were not listed before.
 * @property {[number, string, string][] | null} events What the timeline shows: step, kind and words of what happened,
 *   alarms included; null where they are many and as they were.
 */

/**
 * What moved in a run from step to step: the samples of which a classifier names another class, or another class's
 *   centre is nearest.
 *
 * @typedef {object} MovesHeader
 * @property {"moves"} type
 * @property {string} run
 * @property {boolean} anew Takes the place of what was told before; else it goes on from there.
 * @property {number[]} steps Frames that were looked at. What moved is told since the one before; of the first one of
 *   all nothing is.
 * @property {number} joined How many steps of all, the first ones, tell what happened at several frames at once.
 * @property {number | null} looked How many samples were looked at; null: all.
 * @property {Arrays} arrays "<kind>.counts" for each step, then for each that moved its place in the run,
 *   "<kind>.rows", and the classes "<kind>.before" and "<kind>.after"; the kinds are prediction and border, where
 *   known.
 */

/**
 * What the viewer's clock does.
 *
 * @typedef {object} ClockHeader
 * @property {"clock"} type
 * @property {"follow" | "play" | "hold"} mode
 * @property {number | null} at Step.
 * @property {number} speed
 */

/**
 * One sentence for a person.
 *
 * @typedef {object} ErrorHeader
 * @property {"error"} type
 * @property {string | null} run
 * @property {string} message
 */

/**
 * How a class stands.
 *
 * @typedef {object} ClassHeader
 * @property {"class"} type
 * @property {"open" | "away" | "ended"} state away: nobody leads just now.
 * @property {number} followers How many are there; 0 to all but whoever leads.
 */

/**
 * What whoever leads a class sees; followers' pages show the same.
 *
 * @typedef {object} LeadHeader
 * @property {"lead"} type
 * @property {"lab" | "compare" | "geometry" | "learn" | "embeddings"} page
 * @property {string} search What of the page's address says where they are.
 * @property {string} look Layers, colours and classes in focus, as a link says them.
 * @property {number[] | null} pose Yaw, pitch and distance of the camera that all panels share; null: no stage.
 * @property {Record<string, number[]>} poses The same of each panel, where cameras are free.
 * @property {string | null} projection
 * @property {"follow" | "play" | "hold" | null} mode What the clock does; null: no stage.
 * @property {number | null} at Step, as it was when the clock last changed.
 * @property {number} speed
 * @property {string | null} question Which question is asked now.
 */

/**
 * What followers have answered to the present question; only whoever leads is told.
 *
 * @typedef {object} TallyHeader
 * @property {"tally"} type
 * @property {string | null} question
 * @property {number[]} counts Of each option, or of each tenth of the scale.
 * @property {number} answered
 */

/**
 * Sent where nothing else has been for a while: the server is there, and all is as it was.
 *
 * @typedef {object} BeatHeader
 * @property {"beat"} type
 */

export const PLACE_SCALE = 32767;
export const ANGLE_SCALE = 100;
export const LOSS_SCALE = 4096;
export const CONFIDENCE_SCALE = 255;
export const NO_CLASS = 65535;
