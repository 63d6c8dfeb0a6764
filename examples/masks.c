/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What masks hide of a picture: a row for each mask, of draws one after the other, or of the groups of a partition.
 *
 *     masks IMAGE SIZE PATCH OUT.png MASK...
 *     masks face.png 32 4 masks.png "type=block ratio=0.75" "type=grid" "type=partition groups=4"
 */
#include <maskdm/maskdm.h>

#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS = 4, ZOOM = 3 };

struct picture {
    int64_t size, patch; /* SIZE x SIZE pixels */
    unsigned char *pixels;
};

static int make_mask(maskdm_mask **mask, const char *text)
{
    maskdm_options *o;
    int rc = maskdm_options_create(&o, "mask");

    *mask = NULL;
    if (rc == MASKDM_OK)
        rc = maskdm_options_parse(o, text);
    if (rc == MASKDM_OK)
        rc = maskdm_mask_create(mask, o);
    maskdm_options_release(&o);
    return rc;
}

/* The visible patches in their colours, the others grey, every pixel ZOOM times as large. */
static int draw_cell(maskdm_image **out, const struct picture *p, const int32_t *index, int64_t visible)
{
    const int64_t side = p->size * ZOOM, across = p->size / p->patch;
    unsigned char *rgb = malloc((size_t)(side * side * 3));
    int rc;

    if (!rgb)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < side * side; i++) {
        const int64_t y = i / side / ZOOM, x = i % side / ZOOM, here = y / p->patch * across + x / p->patch;
        int seen = 0;

        for (int64_t k = 0; k < visible && !seen; k++)
            seen = index[k] == here;
        for (int c = 0; c < 3; c++)
            rgb[i * 3 + c] = seen ? p->pixels[(y * p->size + x) * 3 + c] : 208;
    }
    rc = maskdm_image_create(out, side, side, 3, MASKDM_SAMPLE_U8, rgb, 0);
    free(rgb);
    return rc;
}

/* Groups stand one behind the other, as the images of several draws do. */
static int draw_row(maskdm_image **cell, const struct picture *p, const char *text)
{
    const int64_t side = p->size / p->patch;
    int64_t visible, groups, draws;
    int32_t *index = NULL;
    maskdm_mask *mask;
    int rc = make_mask(&mask, text);

    visible = rc == MASKDM_OK ? maskdm_mask_visible(mask, side, side) : rc;
    groups = visible > 0 ? maskdm_mask_groups(mask) : 1;
    draws = (COLUMNS + groups - 1) / groups;
    if (visible > 0)
        index = malloc((size_t)(draws * groups * visible) * sizeof *index);
    rc = visible < 0 ? (int)visible : index ? MASKDM_OK : MASKDM_ENOMEM;
    if (rc == MASKDM_OK)
        rc = maskdm_mask_draw(mask, side, side, 1, 0, 0, draws, index);
    if (rc == MASKDM_OK)
        printf("%s: %lld of %lld patches\n", text, (long long)visible, (long long)(side * side));
    for (int64_t i = 0; rc == MASKDM_OK && i < COLUMNS; i++)
        rc = draw_cell(&cell[i], p, index + i * visible, visible);
    free(index);
    maskdm_mask_release(&mask);
    return rc;
}

static int read_picture(struct picture *p, const char *path)
{
    maskdm_image *whole = NULL, *image = NULL;
    int rc = maskdm_image_read(&whole, path, 3, NULL);

    p->pixels = malloc((size_t)(p->size * p->size * 3));
    if (rc == MASKDM_OK)
        rc = p->pixels ? maskdm_image_fit(&image, whole, p->size, p->size) : MASKDM_ENOMEM;
    if (rc == MASKDM_OK)
        rc = maskdm_image_copy(image, MASKDM_SAMPLE_U8, p->pixels, 0);
    maskdm_image_release(&whole);
    maskdm_image_release(&image);
    return rc;
}

static int draw_all(const struct picture *p, const char *out, char **mask, int count)
{
    maskdm_image **cell = calloc((size_t)count * COLUMNS, sizeof *cell), *grid = NULL;
    int rc = cell ? MASKDM_OK : MASKDM_ENOMEM;

    for (int i = 0; rc == MASKDM_OK && i < count; i++)
        rc = draw_row(cell + i * COLUMNS, p, mask[i]);
    if (rc == MASKDM_OK)
        rc = maskdm_image_grid(&grid, (const maskdm_image *const *)cell, (int64_t)count * COLUMNS, COLUMNS);
    if (rc == MASKDM_OK)
        rc = maskdm_image_write_png(grid, out, 8);
    maskdm_image_release(&grid);
    for (int i = 0; cell && i < count * COLUMNS; i++)
        maskdm_image_release(&cell[i]);
    free(cell);
    return rc;
}

int main(int argc, char **argv)
{
    struct picture p = {.size = argc > 5 ? atoll(argv[2]) : 0, .patch = argc > 5 ? atoll(argv[3]) : 0};
    int rc;

    if (p.size < 1 || p.size > 1024 || p.patch < 1 || p.size % p.patch) {
        fprintf(stderr, "usage: masks IMAGE SIZE PATCH OUT.png MASK...\n");
        return 2;
    }
    rc = read_picture(&p, argv[1]);
    if (rc == MASKDM_OK)
        rc = draw_all(&p, argv[4], argv + 5, argc - 5);
    if (rc < 0)
        fprintf(stderr, "masks: %s\n", rc == MASKDM_ENOMEM ? "out of memory" : maskdm_last_error());
    free(p.pixels);
    return rc < 0;
}
