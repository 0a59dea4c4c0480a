"""One file per paper: its loss as a pure function, its settings, its method, its card.

ce, logit_adjust, bcl, gml, ...       a paper each
base                                  what a method is
registry                              methods by name
parts                                 what several papers share, one noun a file:
    cosine, momentum, probe, queue        pieces of networks and memories
    anchors, inputs, loss, watch          what every loss asks and says
    contrast, partition, fused            denominators, and their kernels
    similarities, forces, scene           who pulls and pushes: what a loss compares, forces by class, what-ifs
    listing, snippets                     code that a person is shown
    step, rehearsal                       what a step has computed, and doing it without a trace
"""
