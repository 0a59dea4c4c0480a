"""One file per paper: its loss as a pure function, its settings, its method, its card.

ce, logit_adjust, bcl, gml, ...       a paper each
base                                  what a method is
registry                              methods by name
cosine, momentum, probe, queue        parts that several papers share
anchors, inputs, partition, fused     the mathematics that several losses share
tug, forces, rehearsal, scene         who pulls and pushes: weights, forces by class, looking without touching, what-ifs
"""
