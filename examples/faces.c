/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Draw a data set: COUNT small faces whose skin, hair, eyes, mouth and background vary.
 *
 *     faces FOLDER COUNT [SIZE [SEED]]
 *
 * A face is a list of shapes over the unit square (y grows downwards), each a function that says how far inside a
 * point is; pixels are averaged over 4 x 4 points. The quickstart trains on what this writes.
 */
#include <maskdm/maskdm.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS = 4 };

struct colour {
    float r, g, b;
};

struct face {
    struct colour sky, ground, skin, hair, iris, lips, shirt;
    float cx, cy, width, height;            /* of the head */
    float hairline, hair_side, hair_length; /* hair_length 0: short */
    float eye_gap, eye_y, eye_size, look, brow;
    float mouth_y, mouth_width, smile, open;
    int glasses, beard;
};

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static float between(uint64_t *state, float low, float high)
{
    return low + (high - low) * (float)(next(state) >> 40) / 16777216.0f;
}

static struct colour mix(struct colour a, struct colour b, float t)
{
    struct colour c = {a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
    return c;
}

static struct colour pick(uint64_t *state, const struct colour *list, size_t count)
{
    struct colour c = list[next(state) % count], d = list[next(state) % count];
    return mix(c, d, between(state, 0.0f, 0.3f));
}

static struct face draw_face(uint64_t *s)
{
    static const struct colour skins[] = {{0.98f, 0.86f, 0.76f},
                                          {0.93f, 0.76f, 0.62f},
                                          {0.80f, 0.60f, 0.45f},
                                          {0.60f, 0.42f, 0.30f},
                                          {0.40f, 0.27f, 0.20f}};
    static const struct colour hairs[] = {{0.08f, 0.06f, 0.05f}, {0.30f, 0.18f, 0.10f}, {0.55f, 0.33f, 0.15f},
                                          {0.90f, 0.76f, 0.42f}, {0.72f, 0.26f, 0.12f}, {0.70f, 0.70f, 0.72f}};
    static const struct colour irises[] = {{0.20f, 0.40f, 0.75f}, {0.25f, 0.50f, 0.30f}, {0.35f, 0.20f, 0.10f}};
    static const struct colour lips[] = {{0.80f, 0.25f, 0.28f}, {0.70f, 0.35f, 0.33f}, {0.60f, 0.20f, 0.30f}};
    static const struct colour cloths[] = {{0.20f, 0.35f, 0.70f},
                                           {0.75f, 0.20f, 0.25f},
                                           {0.20f, 0.55f, 0.40f},
                                           {0.92f, 0.90f, 0.86f},
                                           {0.35f, 0.25f, 0.45f}};
    static const struct colour skies[] = {{0.60f, 0.80f, 0.95f},
                                          {0.95f, 0.85f, 0.65f},
                                          {0.70f, 0.88f, 0.72f},
                                          {0.85f, 0.72f, 0.88f},
                                          {0.55f, 0.58f, 0.64f}};
    struct face f;

    f.sky = pick(s, skies, 5), f.ground = pick(s, skies, 5);
    f.skin = pick(s, skins, 5), f.hair = pick(s, hairs, 6), f.iris = pick(s, irises, 3);
    f.lips = mix(pick(s, lips, 3), f.skin, 0.15f), f.shirt = pick(s, cloths, 5);
    f.cx = between(s, 0.46f, 0.54f), f.cy = between(s, 0.47f, 0.53f);
    f.width = between(s, 0.23f, 0.29f), f.height = between(s, 0.31f, 0.37f);
    f.hairline = between(s, 0.35f, 0.60f), f.hair_side = between(s, -0.5f, 0.5f);
    f.hair_length = next(s) % 2 ? between(s, 0.15f, 0.40f) : 0.0f;
    f.eye_gap = between(s, 0.38f, 0.48f), f.eye_y = between(s, -0.12f, 0.02f), f.eye_size = between(s, 0.16f, 0.22f);
    f.look = between(s, -0.06f, 0.06f), f.brow = between(s, 0.16f, 0.26f);
    f.mouth_y = between(s, 0.46f, 0.56f), f.mouth_width = between(s, 0.28f, 0.46f);
    f.smile = between(s, -0.06f, 0.22f), f.open = between(s, 0.04f, 0.12f);
    f.glasses = next(s) % 6 == 0, f.beard = next(s) % 6 == 0;
    return f;
}

static int in_ellipse(float x, float y, float cx, float cy, float rx, float ry)
{
    float u = (x - cx) / rx, v = (y - cy) / ry;
    return u * u + v * v < 1.0f;
}

/* Eyes, brows, glasses: u, v are head coordinates, -1 .. 1 across the head. */
static void colour_eyes(struct colour *c, const struct face *f, float u, float v)
{
    static const struct colour white = {0.97f, 0.97f, 0.95f}, black = {0.05f, 0.05f, 0.06f};
    float e = u < 0 ? u + f->eye_gap : u - f->eye_gap, w = v - f->eye_y, size = f->eye_size;

    if (fabsf(e) < 1.25f * size && fabsf(w + f->brow - 0.3f * e * e / size) < 0.045f)
        *c = mix(f->hair, black, 0.3f);
    if (in_ellipse(e, w, 0, 0, size, 0.62f * size))
        *c = white;
    if (in_ellipse(e, w, f->look, 0, 0.52f * size, 0.52f * size))
        *c = f->iris;
    if (in_ellipse(e, w, f->look, 0, 0.24f * size, 0.24f * size))
        *c = black;
    if (f->glasses && in_ellipse(e, w, 0, 0, 1.75f * size, 1.45f * size) &&
        !in_ellipse(e, w, 0, 0, 1.4f * size, 1.1f * size))
        *c = black;
}

static struct colour colour_at(const struct face *f, float x, float y)
{
    static const struct colour shade = {0.25f, 0.12f, 0.08f};
    struct colour c = mix(f->sky, f->ground, y);
    float u = (x - f->cx) / f->width, v = (y - f->cy) / f->height, curve;

    if (f->hair_length > 0 && fabsf(u) < 1.25f && v < 0.3f + 2.5f * f->hair_length && v > -0.4f)
        c = mix(f->hair, shade, 0.15f);
    if (in_ellipse(x, y, f->cx, 1.12f, 0.46f, 0.28f))
        c = f->shirt;
    if (fabsf(u) < 0.42f && v > 0.6f && y < 0.93f)
        c = mix(f->skin, shade, 0.22f);
    if (in_ellipse(u, v, -1.0f, 0.05f, 0.14f, 0.2f) || in_ellipse(u, v, 1.0f, 0.05f, 0.14f, 0.2f))
        c = mix(f->skin, shade, 0.15f);
    if (in_ellipse(u, v, 0, -0.12f, 1.16f, 1.14f) && v < -0.1f)
        c = f->hair;
    if (in_ellipse(u, v, 0, 0, 1, 1)) {
        c = mix(f->skin, shade, 0.10f * (u > 0 ? u : 0));
        if (f->beard && v > 0.28f + 0.25f * (1 - u * u))
            c = mix(f->hair, f->skin, 0.2f);
        if (v < -f->hairline + 0.35f * (u - f->hair_side) * (u - f->hair_side) - 0.1f)
            c = f->hair;
        if (fabsf(u - 0.05f) < 0.07f && v > 0.02f && v < 0.28f)
            c = mix(c, shade, 0.25f);
        curve = v - f->mouth_y + f->smile * (u * u / (f->mouth_width * f->mouth_width) - 0.5f);
        if (fabsf(u) < f->mouth_width && fabsf(curve) < f->open * (1.1f - u * u / (f->mouth_width * f->mouth_width)))
            c = f->lips;
        colour_eyes(&c, f, u, v);
    }
    return c;
}

static void render(float *pixel, int64_t size, const struct face *f)
{
    for (int64_t row = 0; row < size; row++)
        for (int64_t column = 0; column < size; column++, pixel += 3) {
            struct colour sum = {0, 0, 0};
            for (int i = 0; i < POINTS * POINTS; i++) {
                float y = ((float)row + ((float)(i / POINTS) + 0.5f) / POINTS) / (float)size;
                float x = ((float)column + ((float)(i % POINTS) + 0.5f) / POINTS) / (float)size;
                struct colour c = colour_at(f, x, y);
                sum.r += c.r, sum.g += c.g, sum.b += c.b;
            }
            pixel[0] = sum.r / (POINTS * POINTS);
            pixel[1] = sum.g / (POINTS * POINTS);
            pixel[2] = sum.b / (POINTS * POINTS);
        }
}

static int write_face(const char *folder, long i, float *pixel, int64_t size, uint64_t seed)
{
    uint64_t state = seed * 1000003u + (uint64_t)i;
    struct face f = draw_face(&state);
    maskdm_image *image;
    char path[4096];
    int rc;

    render(pixel, size, &f);
    snprintf(path, sizeof path, "%s/face-%05ld.png", folder, i);
    rc = maskdm_image_create(&image, size, size, 3, MASKDM_SAMPLE_FLOAT, pixel, 0);
    if (rc == MASKDM_OK)
        rc = maskdm_image_write_png(image, path, 8);
    maskdm_image_release(&image);
    return rc;
}

int main(int argc, char **argv)
{
    long count = argc > 2 ? strtol(argv[2], NULL, 10) : 0, size = argc > 3 ? strtol(argv[3], NULL, 10) : 32;
    uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    float *pixel;
    int rc = MASKDM_OK;

    if (count < 1 || count > 100000 || size < 8 || size > 1024) {
        fprintf(stderr, "usage: faces FOLDER COUNT [SIZE [SEED]]      (the folder must be there)\n");
        return 2;
    }
    pixel = malloc((size_t)size * (size_t)size * 3 * sizeof *pixel);
    if (!pixel)
        return 1;
    for (long i = 0; rc == MASKDM_OK && i < count; i++)
        rc = write_face(argv[1], i, pixel, size, seed);
    if (rc < 0)
        fprintf(stderr, "faces: %s\n", maskdm_last_error());
    free(pixel);
    return rc < 0;
}
