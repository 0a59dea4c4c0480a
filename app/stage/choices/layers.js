/** What the picture can show, and what a person calls it: layers and colours. */

/** @typedef {typeof LAYERS} Layers */
/** @typedef {"ramp"|"categorical"|"groups"|"split"|"correct"|"confidence"|"loss"} ColourMode */

/** Sensible at the start: what is learned is seen, and the explanations are one click away. */
export const LAYERS = {
  points: true,
  train: true,
  validation: true,
  test: true,
  sizes: true,
  rings: true,
  grid: true,
  centres: true,
  labels: true,
  targets: true,
  prototypes: true,
  classifier: false,
  landmarks: true,
  links: true,
  clouds: false,
  densities: false,
  forces: false,
  inside: false,
  caps: false,
  trails: false,
  ghost: false,
  territory: false,
};

/** @type {[keyof Layers, string, string][]} */
export const LAYER_NAMES = [
  ["points", "Points", "One disc for each sample"],
  ["train", "Training samples", "Full discs"],
  ["validation", "Validation samples", "Small squares"],
  ["test", "Test samples", "Discs with a light core"],
  ["sizes", "Size by rarity", "The fewer training samples a class has, the larger its points, on a logarithmic scale"],
  ["rings", "Several labels", "A ring around samples of several classes, a piece in the colour of each"],
  ["centres", "Class centres", "Rings: the mean direction of each class"],
  ["labels", "Class names", ""],
  ["targets", "Targets", "Diamonds, with an arc to the centre that is to get there"],
  ["prototypes", "Prototypes", "Squares: learned stand-ins of the classes"],
  ["classifier", "Classifier weights", "Triangles: the direction each class's weights point to"],
  ["landmarks", "Other landmarks", "Crosses: whatever else a method keeps on the sphere, such as its estimated means"],
  ["links", "Links", "Arcs between what belongs together: two views, image and caption, two branches"],
  ["clouds", "Memory", "Soft points: what a queue remembers, older ones fainter"],
  ["densities", "Density caps", "Dashed: how wide the method itself believes each class to be"],
  ["forces", "Forces", "Arrows: where the loss pushes each class at this step"],
  ["inside", "Inside the method", "Bars under each panel: what the method knows of each class"],
  ["caps", "Caps", "The cone that holds 95 % of a class"],
  ["territory", "Territory", "Borders midway between neighbouring centres; hover a centre for its share of the sphere"],
  ["trails", "Trails", "Where the centres have just been; choose a class to see its own"],
  ["ghost", "Ideal configuration", "Dashed: the most balanced places for so many classes, turned onto the centres"],
  ["grid", "Grid", ""],
];

/** @type {[ColourMode, string][]} */
export const COLOUR_NAMES = [
  ["ramp", "By rarity"],
  ["categorical", "By class"],
  ["groups", "Head, medium, tail"],
  ["split", "Training or test"],
  ["correct", "Right or wrong"],
  ["confidence", "By confidence"],
  ["loss", "By loss"],
];
