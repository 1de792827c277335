/*
 * Words of the chat lines, roughly as often used as they come early.
 */
#ifndef CORPUS_WORDS_H
#define CORPUS_WORDS_H

static const char *const words[] = {
    "the",        "to",        "a",         "I",         "you",       "it",        "and",
    "is",         "that",      "of",        "in",        "we",        "on",        "for",
    "was",        "not",       "have",      "this",      "be",        "just",      "so",
    "but",        "at",        "are",       "with",      "my",        "can",       "what",
    "they",       "if",        "do",        "there",     "me",        "all",       "one",
    "will",       "out",       "get",       "no",        "now",       "think",     "like",
    "up",         "then",      "know",      "from",      "he",        "good",      "about",
    "your",       "how",       "when",      "or",        "see",       "time",      "would",
    "who",        "go",        "she",       "yes",       "today",     "an",        "need",
    "here",       "us",        "some",      "back",      "ok",        "more",      "work",
    "well",       "still",     "right",     "did",       "only",      "make",      "as",
    "has",        "want",      "day",       "were",      "him",       "by",        "had",
    "new",        "try",       "after",     "got",       "really",    "other",     "thing",
    "way",        "should",    "over",      "look",      "two",       "come",      "could",
    "even",       "than",      "maybe",     "people",    "take",      "please",    "sure",
    "again",      "why",       "tomorrow",  "because",   "meet",      "before",    "first",
    "very",       "into",      "same",      "week",      "them",      "her",       "too",
    "off",        "next",      "home",      "few",       "much",      "late",      "last",
    "thanks",     "down",      "send",      "long",      "say",       "always",    "where",
    "train",      "wait",      "night",     "never",     "small",     "line",      "talk",
    "half",       "morning",   "being",     "place",     "check",     "question",  "read",
    "point",      "found",     "going",     "yesterday", "left",      "problem",   "hour",
    "server",     "might",     "bring",     "table",     "start",     "minute",    "coffee",
    "door",       "ship",      "water",     "called",    "open",      "around",    "weather",
    "nothing",    "kind",      "idea",      "since",     "house",     "number",    "quite",
    "road",       "green",     "cold",      "answer",    "early",     "paper",     "across",
    "harbour",    "friend",    "test",      "evening",   "almost",    "office",    "word",
    "rope",       "side",      "ready",     "picture",   "enough",    "room",      "keep",
    "three",      "second",    "quick",     "street",    "music",     "story",     "dinner",
    "market",     "bridge",    "letter",    "light",     "river",     "change",    "simple",
    "garden",     "winter",    "machine",   "window",    "history",   "between",   "mountain",
    "together",   "remember",  "language",  "different", "somewhere", "important", "breakfast",
    "certainly",  "newspaper", "afternoon", "Übung",     "café",      "façade",    "naïve",
    "Größe",      "señor",     "crème",     "jalapeño",  "Москва",    "спасибо",   "東京",
    "ありがとう", "Αθήνα",     "smörgås",   "łódź",      "piñata"};

/* What a line may end with. */
static const char *const endings[] = {".", ".",   ".",   "!",     "?",  "?",       "",  "",
                                      "",  " :)", "...", " 🙂", " 👍", " ❤️", " 😂"};

/* What rare words are put together from. */
static const char *const syllables[] = {"ba",  "ko", "ri",  "ten", "mu",  "sel", "do",  "vi",
                                        "lar", "en", "qui", "zo",  "sha", "pet", "gri", "un",
                                        "fa",  "wo", "ny",  "jex", "tho", "cal", "ist", "om",
                                        "bri", "ul", "ck",  "per", "dra", "yo"};

#endif
