"""Training: from settings to frames. Each module knows only those above it.

timetable       milestones of the rate and switches of the training, from text (no torch)
schedules       curves that settings follow while a run trains, from text (no torch)
settings        what a user may choose (no torch; the app and the command line read it)
parameters      how many parameters a network has, from shapes (no torch)
controls        requests that arrive while a run trains, checked against the bounds of the settings (no torch)
folders         whether a folder is free, or holds a run that can go on (no torch)
progress        how far a run is, and how it ended (no torch)
stop            the polite end that Ctrl-C and SIGTERM ask for (no torch)
pace            when the next frame is due (no torch)
engine          device and precision
optimiser       the optimiser of a method, and its rate at each step
weights         modules, optimisers and rng states as arrays and text
probe_set       which samples the frames show
shared_start    data, probe set, batches and initial modules that the methods of a race share
teachers        who teaches a method that learns from another one
forces          what the next step does to the embeddings
observer        the frame of a method as it is now
ledger          what steps have brought, kept on the device until it is read
learner         a method with its optimiser and its random numbers: one step
lane            one method of a race: a learner and its recording, created or resumed whole
phase           lanes that train in lock-step; what breaks in one ends it alone
race            teachers, then methods, each in a phase; requests are obeyed between the steps
start           from settings or a run folder to a race that is ready
judges          classifiers that judge a trained encoder
catalogue       methods, data sets and settings as JSON, for readers without torch
"""
