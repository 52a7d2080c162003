"""Results as data: records as JSON files that other people's boards take in, and nothing else with them.

`format` says what a file holds, `reading` opens files of strangers, `checking` holds each record to its own
facts and values, `known` to what is installed here; `export`, `merge`, `diff` and `verify` are the commands.
"""
