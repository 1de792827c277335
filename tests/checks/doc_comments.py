"""Every public declaration has a doc comment: every parameter of a function is named in it by
@param, in order, its result by @return; every field of a struct has a comment of its own."""
import re

import checklib

DOC = re.compile(r"/\*\*.*?\*/", re.S)
TOKEN = re.compile(r"/\*.*?\*/|//[^\n]*|[{};]", re.S)


def blank(match):
    """Keep the lines, so that line numbers stay right."""
    return re.sub(r"[^\n]", " ", match.group())


def without_preprocessor(text):
    text = re.sub(r"^#ifdef __cplusplus\n.*?^#endif$", blank, text, flags=re.S | re.M)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", blank, text, flags=re.M)


def declarations(text):
    """Yield (position, doc comment or None, declaration with its comments)."""
    doc, depth, start = None, 0, None
    position = 0
    for token in TOKEN.finditer(text):
        before = text[position:token.start()]
        if start is None and before.strip():
            start = position + len(before) - len(before.lstrip())
        position = token.end()
        if token.group() == "{":
            depth += 1
        elif token.group() == "}":
            depth -= 1
        elif token.group() == ";" and depth == 0:
            if start is not None:
                yield start, doc, text[start:token.end()]
            doc, start = None, None
        elif token.group().startswith("/*") and start is None:
            is_doc = token.group().startswith("/**") and "@file" not in token.group()
            doc = token.group() if is_doc else None


def without_comments(code):
    return re.sub(r"/\*.*?\*/", " ", code, flags=re.S)


def parameters(code):
    """The names of the parameters of a function declaration or function pointer typedef."""
    inside = code[code.index("(", code.index(")") if "(*" in code else 0) + 1:code.rindex(")")]
    if inside.strip() in ("void", ""):
        return []
    return [re.search(r"(\w+)\s*(\[\w*\])*\s*$", part).group(1) for part in inside.split(",")]


def check_function(doc, code):
    names = parameters(code)
    named = re.findall(r"@param\s+(\w+)", doc)
    if named != names:
        yield f"@param names {named or 'nothing'}, the declaration {names or 'nothing'}"
    is_void = re.match(r"(typedef\s+|HWS_API\s+)*void\s+[(\w]", code) is not None
    if is_void == ("@return" in doc):
        yield "@return describes a void result" if is_void else "there is no @return"


def check_fields(code):
    body = code[code.index("{") + 1:code.rindex("}")]
    # A semicolon of a comment ends no field.
    body = re.sub(r"/\*.*?\*/", lambda comment: comment.group().replace(";", ","), body, flags=re.S)
    documented_before = False
    for piece in re.finditer(r"([^;]*?);([ \t]*\n?[ \t]*/\*\*<.*?\*/)?", body, re.S):
        field = without_comments(piece.group(1)).strip()
        documented_before = DOC.search(piece.group(1)) and "/**<" not in piece.group(1)
        if not piece.group(2) and not documented_before:
            yield f"the field `{' '.join(field.split())}` has no comment"


def check_declaration(doc, declaration):
    code = " ".join(without_comments(declaration).split())
    if doc is None:
        yield "there is no doc comment"
        return
    if "{" not in code and "(" in code:
        yield from check_function(doc, code)
    elif re.match(r"(typedef )?(struct|union)\b", code) and "{" in code:
        yield from check_fields(declaration)


def main():
    root = checklib.root()
    errors, count = [], 0
    for path in checklib.sources(root, "include/hawser", ends=(".h",)):
        text = without_preprocessor(path.read_text())
        for start, doc, declaration in declarations(text):
            count += 1
            line = text.count("\n", 0, start) + 1
            what = " ".join(without_comments(declaration).split())[:60]
            for fault in check_declaration(doc, declaration):
                errors.append(f"{path.relative_to(root)}:{line}: {fault}: {what}")
    checklib.finish(errors, "public declarations", count)


main()
