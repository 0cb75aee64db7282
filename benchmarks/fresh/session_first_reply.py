import sys

import cellvoice as cv

session = cv.Session("spoken-1", base_url=sys.argv[1], api_key="sk-bench", journal=False)
session.say("Explain.")
