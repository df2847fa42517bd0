"""What `python -m wsframes demo` runs: a real server, a real client, real speech.

The server and the client are processes of their own, so that neither has to wait while the terminal
is drawn, and the times they note are those of the library.

    session    starts the two, and brings back what they have seen
    server     a process: uvicorn on asyncio or hypercorn on trio, with the application of
    bot        a pipeline that answers each phrase with the phrase itself
    client     a process: speaks in real time, listens, notes when what came
    measure    figures from the notes of both, and whether anything is wrong
    screen, report, picture    what is seen of it
"""
