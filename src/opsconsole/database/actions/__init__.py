"""What changes a database: actions for the one door, each with a look before it, and proof after it.

The server calls much a success that did nothing: a VACUUM that skips the table says so in a warning, one that finds
every row held by an old snapshot says nothing. Here the effect decides.
"""
