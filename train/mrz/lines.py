"""Synthetic pictures of lines of machine-readable zones.

A line is drawn in OCR-B between halves of its neighbours, laid over a security print, and then put through
what a camera does to it: perspective, blur, low resolution, noise, JPEG. Nothing comes from a real document.
"""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"
LETTERS, DIGITS, FILLER = ALPHABET[:26], ALPHABET[26:36], "<"
HEIGHT, MAX_WIDTH = 32, 1024  # of the strips that the net reads
CUTS = ("OCRB.otf", "OCRBS.otf", "OCRBF.otf", "OCRB.otf")  # plain, sharp, fat; the plain one twice as often


class Lines:
    """Draws random lines; one object a process, since it keeps its own randomness and glyphs.

    margins is the least and greatest space above and below the characters, in pixels of a drawing whose capitals
    are about 36 high. The published weights were trained with (2, 20); wider ones make a reader that minds a
    loose crop less.
    """

    def __init__(self, fonts, random, margins=(2, 20)):
        self.fonts = [ImageFont.truetype(f"{fonts}/{name}", 48) for name in CUTS]
        self.random, self.margins, self.glyphs = random, margins, {}
        self.noise = np.random.default_rng(random.randrange(1 << 30))

    def sample(self):
        """Returns a strip, float32 [HEIGHT, W] with mean 0 and deviation 1, and its text."""
        text = self.text()
        drawing, top = self.draw(text)
        ink = self.crop(drawing, top)
        picture = self.capture(self.print(ink))
        width = ink.shape[1] // 2
        way = self.random.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA])
        strip = cv2.resize(picture, (width, HEIGHT), interpolation=way).astype(np.float32) / 255
        return (strip - strip.mean()) / (strip.std() + 1e-3), text

    # --- text ---

    def some(self, count, of):
        return "".join(self.random.choice(of) for _ in range(count))

    def text(self):
        """A line of TD1, TD2, TD3 or a visa: a name line, a data line, or any characters at all."""
        r, kind, length = self.random, self.random.random(), self.random.choice([44, 44, 36, 30])
        if kind < 0.35:
            return self.name_line(length)
        if kind < 0.75:
            return self.data_line(length)
        return self.some(length, ALPHABET + FILLER * 4)

    def name_line(self, length):
        r = self.random
        head = r.choice(["P<", "I<", "V<", "ID", "AR", "PO", ""]) + self.some(3, LETTERS)
        surname = FILLER.join(self.some(r.randint(2, 9), LETTERS) for _ in range(r.randint(1, 2)))
        given = FILLER.join(self.some(r.randint(2, 8), LETTERS) for _ in range(r.randint(1, 3)))
        return (head + surname + "<<" + given + FILLER * 44)[:length]

    def data_line(self, length):
        r = self.random
        if r.random() < 0.4:  # the first line of TD1
            body = self.some(2, LETTERS + FILLER) + self.some(3, LETTERS) + self.some(9, DIGITS + LETTERS + FILLER)
            body += self.some(1, DIGITS) + self.some(r.randint(0, 15), DIGITS + LETTERS)
        else:
            body = self.some(9, DIGITS + DIGITS + LETTERS) + self.some(1, DIGITS) + self.some(3, LETTERS)
            body += self.some(7, DIGITS) + r.choice("MF<") + self.some(7, DIGITS)
            body += self.some(r.randint(0, 14), DIGITS + LETTERS)
        return (body + FILLER * 44)[: length - 1] + r.choice(DIGITS + FILLER)

    # --- drawing ---

    def glyph(self, font, char):
        if (font, char) not in self.glyphs:
            cell = Image.new("L", (44, 64), 0)
            ImageDraw.Draw(cell).text((7, 6), char, font=self.fonts[font], fill=255)
            self.glyphs[font, char] = np.asarray(cell)
        return self.glyphs[font, char]

    def draw(self, text):
        """Returns the ink, 0…1, of the line and perhaps its neighbours, and the top of its cells."""
        r, top = self.random, 40
        font, pitch = r.randrange(len(self.fonts)), r.uniform(33, 37.5)
        ink = np.zeros((150, int(pitch * len(text)) + 40), np.float32)
        self.write(ink, text, font, pitch, top)
        for y in (top - r.uniform(62, 80), top + r.uniform(62, 80)):
            if r.random() >= 0.5:
                self.write(ink, self.some(len(text), ALPHABET + FILLER * 3), font, pitch, y)
        ink /= 255
        if r.random() < 0.4:
            spread = cv2.dilate if r.random() < 0.6 else cv2.erode
            ink = spread(ink, np.ones((r.choice([2, 3]),) * 2, np.uint8))
        return ink, top

    def write(self, ink, text, font, pitch, y):
        y = int(y)
        first, last = max(y, 0), min(y + 64, ink.shape[0])
        for k, char in enumerate(text):
            x = int(13 + k * pitch)
            if last > first and x + 44 <= ink.shape[1]:
                cell = self.glyph(font, char)[first - y : last - y]
                ink[first:last, x : x + 44] = np.maximum(ink[first:last, x : x + 44], cell)

    def crop(self, ink, top):
        """Cuts the line out with random margins and a slight shear and slant, at twice the final size."""
        r = self.random
        above, below = top + 12 - r.uniform(*self.margins), top + 50 + r.uniform(*self.margins)
        left, right = r.uniform(0, 16), ink.shape[1] - r.uniform(0, 16)
        a, b, shear = r.uniform(-4, 4), r.uniform(-4, 4), r.uniform(-5, 5)
        corners = [[left + shear, above + a], [right + shear, above + b], [right - shear, below + b], [left - shear, below + a]]
        width = int((right - left) * HEIGHT / (below - above) * r.uniform(0.82, 1.18)) // 8 * 8
        width = min(max(64, width), MAX_WIDTH)
        w, h = width * 2, HEIGHT * 2
        to_strip = cv2.getPerspectiveTransform(np.float32(corners), np.float32([[0, 0], [w, 0], [w, h], [0, h]]))
        return cv2.warpPerspective(ink, to_strip, (w, h), flags=cv2.INTER_AREA)

    def print(self, ink):
        """Lays the ink over paper with waves, a slope of light, stains and stray lines; returns grey 0…1."""
        r, (h, w) = self.random, ink.shape
        dark, paper = r.uniform(0, 0.35), r.uniform(0.55, 1)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        ground = np.full((h, w), paper, np.float32)
        for _ in range(r.randint(0, 3)):
            frequency, phase, angle = r.uniform(0.02, 0.5), r.uniform(0, 6), r.uniform(0, np.pi)
            bend = r.uniform(0, 3) * np.sin(x * r.uniform(0.005, 0.05))
            wave = np.sin(frequency * (x * np.cos(angle) + y * np.sin(angle)) + phase + bend)
            ground += r.uniform(0.02, 0.12) * wave
        stains = self.noise.standard_normal((4, 24)).astype(np.float32)
        ground += r.uniform(-0.2, 0.2) * x / w + cv2.resize(stains, (w, h)) * r.uniform(0, 0.08)
        for _ in range(r.choice([0, 0, 1, 3])):
            ends = [(r.randrange(w), r.randrange(h)) for _ in range(2)]
            cv2.line(ground, *ends, r.uniform(0.3, 0.9), r.choice([1, 2]))
        return ground * (1 - ink) + (dark + (ground - paper) * r.uniform(0, 1)) * ink

    def capture(self, grey):
        """What a camera makes of it: uint8 at 13 to 64 pixels a line."""
        r, (h, w) = self.random, grey.shape
        grey = cv2.GaussianBlur(grey, (0, 0), r.uniform(0.3, 2.2))
        rows = r.choice([64, 40, 30, 24, 20, 16, 13])
        if rows < h:
            grey = cv2.resize(grey, (max(16, w * rows // h), rows), interpolation=cv2.INTER_AREA)
        grey = grey + self.noise.standard_normal(grey.shape, np.float32) * r.uniform(0, 0.06)
        picture = np.clip(grey * 255, 0, 255).astype(np.uint8)
        if r.random() < 0.6:
            _, file = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, r.randint(25, 90)])
            picture = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
        return picture
