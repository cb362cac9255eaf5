"""Would this combination work?"""
