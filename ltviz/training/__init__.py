"""Training: from settings to frames.

settings    what a user may choose (no torch; the app and the command line read it)
folders     whether a folder is free, or holds a run that can go on (no torch)
ground      data, probe, batches and initial modules that the methods of a race share
teachers    methods that are trained before others learn from them
start       from settings or a run folder to a race that is ready
race        the loop over steps, in lock-step for all methods of a race
lane        one method of a race: its model, optimiser and recording
controls    requests that arrive while a run trains, checked against the bounds of the settings
pace        when the next frame is due
probe       which samples the frames show
judges      classifiers that judge a trained encoder
weights     saving and restoring a lane
engine      device and precision
stop        the polite end that Ctrl-C and SIGTERM ask for
catalogue   methods, data sets and settings as JSON, for readers without torch
worker      the process that stands by and trains what is queued
"""
