"""The Streamlit app of ltviz, loaded under the name `ltviz_app` from a checkout's `app/` or a wheel's `ltviz/_app/`.

    server      builds and runs the web server: Streamlit, the stream of frames, the stage's files
    service     what runs beside the pages. hub and tail: follow run folders and hand out encoded frames; alarms: what
                went wrong in them; stream and clock: one viewer's socket; messages: what is sent, spelled once; wire:
                its bytes; types_js: writes what the stage knows of it; picture and projections: a frame in three
                coordinates; replay, replaypage, replayroute: runs as one HTML file; site: as a folder for a host of
                files; feed: runs on a page of somebody else's; packing: what those share; supervisor: keeps workers
                standing by, makes sure that a stop stops; studio: what the pages share; look: what every stage is told
    widgets     what draws on the pages. Of the lab: race, runlist, viewer, charts, forms; of compare: chooser,
                curation, sweeps, evidence and its parts: alarms, comparison, gallery, downloads
    main, pages what Streamlit runs: the navigation, and one file a page
    stage       the spheres, in JavaScript
    words       every sentence that a person reads on the page

`ltviz.launch.app.load_app` loads it. Nothing in here imports torch.
"""
