"""One picture of many labels: each with its name below, on light grey, arranged by size."""
import itertools

from PIL import Image, ImageDraw, ImageFont

GREY, GAP, NAME = 215, 36, 44
# Labels beside each other, of those on one stock.
ACROSS = 6


def sheet(path, labels):
    """Writes the picture; `labels` are names and files. Returns how many it shows."""
    pictures = [(name, Image.open(file).convert("L")) for name, file in labels]
    pictures.sort(key=lambda shown: (shown[1].height, shown[1].width, shown[0]))
    font = ImageFont.load_default(size=NAME)
    placed, y, widest = [], GAP, 0
    for _, group in itertools.groupby(pictures, key=lambda shown: shown[1].size):
        for row in rows(list(group)):
            x = GAP
            for name, picture in row:
                placed.append((x, y, name, picture))
                x += picture.width + GAP
            widest = max(widest, x)
            y += row[0][1].height + 2 * GAP + NAME
    whole = Image.new("L", (max(widest, 1), max(y, 1)), GREY)
    pen = ImageDraw.Draw(whole)
    for x, y, name, picture in placed:
        whole.paste(picture, (x, y))
        pen.text((x, y + picture.height + GAP // 3), name, fill=0, font=font)
    whole.save(path, optimize=True)
    return len(placed)


def rows(group):
    return [group[n:n + ACROSS] for n in range(0, len(group), ACROSS)]
