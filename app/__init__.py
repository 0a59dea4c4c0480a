"""The Streamlit app of ltviz, loaded under the name `ltviz_app` from a checkout's `app/` or a wheel's `ltviz/_app/`.

    server      builds and runs the web server: Streamlit, the stream of frames, the stage's files
    hub         follows run folders and hands out encoded frames; stream and clock: one viewer's socket
    picture     a frame as three coordinates, primitive by primitive; messages: what is sent, spelled once; wire: its
                bytes; types_js writes what the stage knows of messages
    replay      runs as one HTML file that plays without the app; replaypage: its page; replayroute: who may ask for it
    supervisor  keeps workers standing by, fails the runs of dead ones, makes sure that a stop stops
    studio      what the pages share: the folder of runs, the token, the supervisor; look: what every stage is told
    main, pages what Streamlit runs; words is every sentence. Parts of the lab: race, runlist, viewer, charts, forms;
                of compare: chooser, curation, sweeps, moments, evidence (alarms, comparison, gallery, downloads)

`ltviz.launch.app.load_app` loads it. Nothing in here imports torch.
"""
