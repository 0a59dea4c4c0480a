"""What a shared app says: on the command line, to those whom nobody knows, and to viewers."""

from __future__ import annotations

NEEDS_PASSWORD = (
    "--share needs a password for those who may train, of {least} characters or more; set LTVIZ_TRAINER_PASSWORD, or "
    "start it from a terminal, which asks for it."
)
ASK_PASSWORD = "Password of those who may train: "
PASSWORD = "The trainers' password must have {least} to {most} characters; choose another one."
OPENS = (
    "Viewers see all runs, live, and save replays and reports; they change nothing. Their link: {link}\n"
    "Trainers also start, change and stop training, open embeddings, tag and delete runs; they sign in: {sign_in}\n"
    "Nobody else sees a run. Browsers may call it {hosts}; traffic is not encrypted unless a proxy does that."
)
NOBODY = "These runs are shared with those who have the viewers' link or the password. Open the link, or sign in."
VIEWER = "Viewers look; whoever wants to train, change or delete signs in first."
WRONG_LINK = "This link is not valid any more: it changes whenever ltviz is started anew. Ask for the present one."
WRONG_PASSWORD = "That is not the password."
TOO_MANY_TRIES = "Too many wrong tries; wait {seconds} seconds."
REMOTE = (
    "These runs are read from a storage elsewhere, and nothing is changed there. To train, change or delete, open a "
    "folder of this machine."
)
NOT_FROM_HERE = "The password is taken from this page's own form only."
SIGN_IN = {
    "title": "ltviz",
    "password": "Password of those who may train",
    "button": "Sign in",
    "viewers": "Viewers need no password: they open the link that they were given.",
}
SIGN_IN_LINK = "Sign in to train"
"""Of a link in the side bar."""
