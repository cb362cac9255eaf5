"""One judge: would this combination work?"""
