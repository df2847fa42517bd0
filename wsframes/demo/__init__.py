"""What `python -m wsframes demo` runs: a real server, a real client, real speech.

The server and the client are processes of their own, so that neither has to wait while the terminal
is drawn, and the times they note are those of the library.

    command    makes sure that the demo can be run
    show       runs it: session, screen, measure, picture and report, one after the other
    session    starts the two processes, and brings back what they have noted
    server     a process: uvicorn on asyncio or hypercorn on trio, with the application of
    bot        a pipeline that answers each phrase, found by a gate, with the phrase itself
    client     a process: says a clip in real time, listens, and notes when what came
    measure    figures from the notes of both, and whether anything is wrong
    screen, report, picture    what is seen of it
"""
