/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mask policies: the authors' counts, that what is drawn is valid and evenly spread, that it depends on (seed, image,
 * step) alone, and what is refused.
 */
#include "mask/mask.h"

#include "base/error.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static maskdm_mask *make(const char *text)
{
    maskdm_options *o;
    maskdm_mask *m;

    ck_assert_int_eq(maskdm_options_create(&o, "mask"), MASKDM_OK);
    ck_assert_msg(maskdm_options_parse(o, text) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    ck_assert_msg(maskdm_mask_create(&m, o) == MASKDM_OK, "%s: %s", text, maskdm_last_error());
    maskdm_options_release(&o);
    return m;
}

/* 64 x 64 pixels and 256 x 256 in patches of 4; the counts are those of the authors' generator. */
START_TEST(counts)
{
    static const struct {
        const char *options;
        int64_t rows, columns, visible;
    } row[] = {
        {"type=none", 16, 16, 256},
        {"type=patch ratio=0", 16, 16, 256},
        {"type=patch ratio=0.1", 16, 16, 231},
        {"type=patch ratio=0.5", 16, 16, 128},
        {"type=patch ratio=0.9", 16, 16, 26},
        {"type=block ratio=0.1 block_size=2", 16, 16, 232},
        {"type=block ratio=0.5 block_size=2", 16, 16, 128},
        {"type=block ratio=0.9 block_size=2", 16, 16, 28},
        {"type=block ratio=0.1 block_size=4", 16, 16, 240},
        {"type=block ratio=0.9 block_size=4", 16, 16, 32},
        {"type=block ratio=0.5 block_size=8", 16, 16, 128},
        {"type=block ratio=0.9 block_size=4", 64, 64, 416},
        {"type=block ratio=0.5 block_size=2", 4, 10, 20},
        {"type=crop crop_size=15", 16, 16, 225},
        {"type=crop crop_size=5", 16, 16, 25},
        {"type=crop crop_size=3", 3, 8, 9},
        {"type=grid", 16, 16, 64},
        {"type=grid cell_size=4 cell_visible=2", 16, 8, 16},
        {"type=grid cell_size=3 cell_visible=9", 3, 6, 18},
        {"type=partition", 16, 16, 128},
        {"type=partition groups=1", 3, 5, 15},
        {"type=partition groups=5", 3, 5, 3},
        {"type=partition groups=4 cell_size=2", 16, 16, 64},
        {"type=partition groups=3 cell_size=3", 6, 3, 6},
    };

    for (size_t i = 0; i < MDM_LENGTH(row); i++) {
        maskdm_mask *m = make(row[i].options);
        const double rate = 1 - (double)row[i].visible / (double)(row[i].rows * row[i].columns);

        ck_assert_msg(maskdm_mask_visible(m, row[i].rows, row[i].columns) == row[i].visible, "%s", row[i].options);
        ck_assert_double_eq_tol(maskdm_mask_true_rate(m, row[i].rows, row[i].columns), rate, 1e-15);
        maskdm_mask_release(&m);
    }
}
END_TEST

START_TEST(rates_and_names)
{
    maskdm_mask *m = make("type=block ratio=0.9 block_size=2");

    ck_assert_str_eq(maskdm_mask_name(m), "block");
    ck_assert_double_eq(maskdm_mask_nominal_rate(m), 0.9);
    maskdm_mask_release(&m);
    ck_assert_ptr_null(m);
    m = make("type=grid cell_size=4 cell_visible=2");
    ck_assert_double_eq(maskdm_mask_nominal_rate(m), 0.875);
    ck_assert_int_eq(maskdm_mask_groups(m), 1);
    maskdm_mask_release(&m);
    m = make("type=partition groups=4");
    ck_assert_str_eq(maskdm_mask_name(m), "partition");
    ck_assert_double_eq(maskdm_mask_nominal_rate(m), 0.75);
    ck_assert_int_eq(maskdm_mask_groups(m), 4);
    maskdm_mask_release(&m);
    m = make("type=crop crop_size=2");
    ck_assert(isnan(maskdm_mask_nominal_rate(m)));
    maskdm_mask_release(&m);
    ck_assert_int_eq(maskdm_mask_create(&m, NULL), MASKDM_OK);
    ck_assert_str_eq(maskdm_mask_name(m), "none");
    ck_assert_double_eq(maskdm_mask_nominal_rate(m), 0);
    maskdm_mask_release(&m);
}
END_TEST

enum { ROWS = 6, COLUMNS = 8, P = ROWS * COLUMNS, MANY = 20000 };

/* Every patch of patch and block masks is visible with the same probability; chi-square on the counts. */
static void spread(const char *options)
{
    maskdm_mask *m = make(options);
    const int64_t visible = maskdm_mask_visible(m, ROWS, COLUMNS);
    const double p = (double)visible / P;
    int32_t *index = malloc((size_t)(MANY * visible) * sizeof *index);
    double chi = 0;
    int seen[P] = {0}, wrong = 0;

    ck_assert_int_eq(maskdm_mask_draw(m, ROWS, COLUMNS, 5, 0, 0, MANY, index), MASKDM_OK);
    for (int64_t i = 0; i < MANY * visible; i++) {
        if (index[i] < 0 || index[i] >= P || (i % visible && index[i] <= index[i - 1]))
            wrong++;
        else
            seen[index[i]]++;
    }
    ck_assert_int_eq(wrong, 0);
    for (int i = 0; i < P; i++)
        chi += (seen[i] - MANY * p) * (seen[i] - MANY * p) / (MANY * p * (1 - p));
    /* At most P terms of mean 1 and variance 2, up to b^2 of them equal. */
    ck_assert_msg(fabs(chi - P) < 6 * sqrt(2.0 * P * 4), "%s: chi-square %g of %d", options, chi, P);
    free(index);
    maskdm_mask_release(&m);
}

START_TEST(draws_are_valid_and_even)
{
    spread("type=patch ratio=0.75");
    spread("type=patch ratio=0.3");
    spread("type=block ratio=0.5 block_size=2");
    spread("type=grid cell_size=2 cell_visible=1");
    spread("type=grid cell_size=2 cell_visible=3");
}
END_TEST

/* Of every cell as many, each set of that size as often, and one cell's says nothing of its neighbour's. */
START_TEST(cells_choose_for_themselves)
{
    enum { DRAWS = 9600, SETS = 16 };
    maskdm_mask *m = make("type=grid cell_size=2 cell_visible=2");
    const int64_t visible = maskdm_mask_visible(m, 2, 4);
    int32_t *index = malloc((size_t)(DRAWS * visible) * sizeof *index);
    int pairs[SETS][SETS] = {{0}}, wrong = 0, met = 0;

    ck_assert_int_eq(visible, 4);
    ck_assert_int_eq(maskdm_mask_draw(m, 2, 4, 11, 0, 0, DRAWS, index), MASKDM_OK);
    for (int i = 0; i < DRAWS; i++) {
        int set[2] = {0};

        for (int64_t k = 0; k < visible; k++) {
            const int32_t p = index[i * visible + k];

            set[p % 4 / 2] |= 1 << (p / 4 * 2 + p % 2);
        }
        pairs[set[0]][set[1]]++;
    }
    for (int a = 0; a < SETS; a++)
        for (int b = 0; b < SETS; b++) {
            const int both = __builtin_popcount((unsigned)a) == 2 && __builtin_popcount((unsigned)b) == 2;

            met += both;
            wrong += both ? abs(pairs[a][b] - DRAWS / 36) > 6 * 17 : pairs[a][b]; /* sqrt(9600 / 36) is 16.3 */
        }
    ck_assert_int_eq(met, 36);
    ck_assert_int_eq(wrong, 0);
    free(index);
    maskdm_mask_release(&m);
}
END_TEST

/* Every patch in one group, as many of each cell to each; `of` cells n x n, or the whole grid for 0. */
static void check_groups(const char *options, int64_t groups, int64_t n)
{
    maskdm_mask *m = make(options);
    const int64_t visible = maskdm_mask_visible(m, ROWS, COLUMNS), across = n ? COLUMNS / n : 1;
    int32_t index[P];
    int wrong = 0, moved = 0, before[P] = {0};

    ck_assert_int_eq(visible * groups, P);
    for (int step = 0; step < 300; step++) {
        int group[P], share[P][8] = {{0}};

        memset(group, -1, sizeof group);
        ck_assert_int_eq(maskdm_mask_draw(m, ROWS, COLUMNS, 3, 7, step, 1, index), MASKDM_OK);
        for (int64_t i = 0; i < P; i++) {
            const int32_t p = index[i];
            const int64_t cell = n ? p / COLUMNS / n * across + p % COLUMNS / n : 0;

            wrong += p < 0 || p >= P || (i % visible && p <= index[i - 1]) || group[p] >= 0;
            group[p] = (int)(i / visible);
            share[cell][group[p]]++;
        }
        for (int64_t cell = 0; cell < P / (n ? n * n : P); cell++)
            for (int64_t g = 0; g < groups; g++)
                wrong += share[cell][g] != (n ? n * n : P) / groups;
        for (int i = 0; i < P; i++)
            moved += group[i] != before[i];
        memcpy(before, group, sizeof before);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert(groups == 1 ? moved == 0 : moved > 300 * P / 4);
    maskdm_mask_release(&m);
}

/* The first of two groups is what a mask of half the patches leaves, and the second what it hides. */
START_TEST(groups_are_the_image)
{
    maskdm_mask *two = make("type=partition"), *half = make("type=patch ratio=0.5");
    int32_t groups[2 * P], alone[P];

    check_groups("type=partition groups=1", 1, 0);
    check_groups("type=partition groups=2", 2, 0);
    check_groups("type=partition groups=6", 6, 0);
    check_groups("type=partition groups=2 cell_size=2", 2, 2);
    check_groups("type=partition groups=4 cell_size=2", 4, 2);
    check_groups("type=partition groups=1 cell_size=2", 1, 2);
    ck_assert_int_eq(maskdm_mask_draw(two, ROWS, COLUMNS, 9, 40, 5, 2, groups), MASKDM_OK);
    ck_assert_int_eq(maskdm_mask_draw(half, ROWS, COLUMNS, 9, 40, 5, 2, alone), MASKDM_OK);
    for (int i = 0; i < 2; i++)
        ck_assert_mem_eq(groups + i * P, alone + i * P / 2, P / 2 * sizeof *alone);
    maskdm_mask_release(&two);
    maskdm_mask_release(&half);
}
END_TEST

/* Visible patches of a 16 x 16 grid at steps 0, 10, ... of 100 steps and behind them. */
START_TEST(rates_that_change)
{
    static const struct {
        const char *options;
        int visible[12];
    } row[] = {
        {"type=patch ratio=0.75 ratio_end=0 ratio_steps=100 ratio_levels=4",
         {64, 64, 64, 128, 128, 192, 192, 192, 256, 256, 256, 256}},
        {"type=patch ratio=0.75 ratio_end=0.25 ratio_steps=100 ratio_levels=2",
         {64, 64, 64, 64, 64, 192, 192, 192, 192, 192, 192, 192}},
        {"type=patch ratio=0 ratio_end=0.5 ratio_steps=100 ratio_levels=5 ratio_curve=cosine",
         {256, 256, 238, 238, 192, 192, 147, 147, 128, 128, 128, 128}},
        {"type=block block_size=4 ratio=0.9 ratio_end=0 ratio_steps=100 ratio_levels=10",
         {32, 64, 80, 112, 128, 160, 192, 208, 240, 256, 256, 256}},
        {"type=grid steps=60", {64, 64, 64, 64, 64, 64, 256, 256, 256, 256, 256, 256}},
        {"type=crop crop_size=4 steps=1", {16, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256, 256}},
        {"type=patch ratio=0.75 ratio_end=0.5 ratio_steps=40 ratio_levels=2 steps=61",
         {64, 64, 128, 128, 128, 128, 128, 256, 256, 256, 256, 256}},
    };

    for (size_t i = 0; i < MDM_LENGTH(row); i++) {
        maskdm_mask *m = make(row[i].options);
        int32_t index[256];

        ck_assert_int_eq(maskdm_mask_visible(m, 16, 16), row[i].visible[0]);
        for (int k = 0; k < 12; k++) {
            const int64_t visible = maskdm_mask_visible_at(m, 16, 16, k < 11 ? k * 10 : 1000000);

            ck_assert_msg(visible == row[i].visible[k], "%s: %d visible at step %d", row[i].options, (int)visible,
                          k * 10);
            ck_assert_int_eq(maskdm_mask_draw(m, 16, 16, 2, 5, k * 10, 1, index), MASKDM_OK);
            for (int64_t p = 1; p < row[i].visible[k < 11 ? k : 10]; p++)
                ck_assert(index[p] > index[p - 1] && index[p] < 256);
        }
        ck_assert_double_eq_tol(maskdm_mask_true_rate(m, 16, 16), 1 - row[i].visible[0] / 256.0, 1e-15);
        maskdm_mask_release(&m);
    }
}
END_TEST

/* 3 levels of 10 steps: 0 .. 3, 4 .. 6, 7 .. */
START_TEST(levels_begin_where_their_steps_do)
{
    maskdm_mask *m = make("type=patch ratio=0.5 ratio_end=0 ratio_steps=10 ratio_levels=3");

    for (int64_t step = 0; step < 12; step++)
        ck_assert_int_eq(maskdm_mask_visible_at(m, 2, 4, step), step < 4 ? 4 : step < 7 ? 6 : 8);
    ck_assert_int_eq(mdm_mask_levels(m), 3);
    for (int64_t i = 0; i < 3; i++)
        ck_assert_int_eq(mdm_mask_level_from(m, i), i == 0 ? 0 : i == 1 ? 4 : 7);
    maskdm_mask_release(&m);
    m = make("type=grid steps=7");
    ck_assert_int_eq(mdm_mask_levels(m), 2);
    ck_assert_int_eq(mdm_mask_level_from(m, 1), 7);
    maskdm_mask_release(&m);
    m = make("type=patch ratio=0.5 ratio_end=0.25 ratio_steps=10 ratio_levels=3 steps=12");
    ck_assert_int_eq(mdm_mask_levels(m), 4);
    ck_assert_int_eq(mdm_mask_level_from(m, 2), 7);
    ck_assert_int_eq(mdm_mask_level_from(m, 3), 12);
    maskdm_mask_release(&m);
}
END_TEST

/* Usual cells that do not tile a grid leave a share of it, drawn from all; cells that were asked for are refused. */
START_TEST(grids_that_no_cell_tiles)
{
    maskdm_mask *usual = make("type=grid"), *half = make("type=grid cell_visible=2"),
                *asked = make("type=grid cell_size=2");
    int32_t index[49];
    int drawn[49] = {0};

    ck_assert_int_eq(maskdm_mask_visible(usual, 7, 7), 13);
    ck_assert_int_eq(maskdm_mask_visible(half, 7, 7), 25);
    ck_assert_int_eq(maskdm_mask_visible(usual, 1, 1), 1);
    ck_assert_int_eq(maskdm_mask_visible(usual, 7, 2), 4);
    ck_assert_int_eq(maskdm_mask_visible(asked, 7, 7), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "cells of 2 x 2 patches do not tile a grid of 7 x 7");
    for (int step = 0; step < 200; step++) {
        ck_assert_int_eq(maskdm_mask_draw(usual, 7, 7, 1, 3, step, 1, index), MASKDM_OK);
        for (int i = 0; i < 13; i++) {
            ck_assert(index[i] >= 0 && index[i] < 49 && (i == 0 || index[i] > index[i - 1]));
            drawn[index[i]]++;
        }
    }
    for (int i = 0; i < 49; i++)
        ck_assert_msg(drawn[i] > 25 && drawn[i] < 85, "patch %d was visible %d times of 200", i, drawn[i]);
    maskdm_mask_release(&usual);
    maskdm_mask_release(&half);
    maskdm_mask_release(&asked);
}
END_TEST

START_TEST(blocks_are_whole_and_windows_square)
{
    maskdm_mask *block = make("type=block ratio=0.7 block_size=2"), *crop = make("type=crop crop_size=3");
    const int64_t visible = maskdm_mask_visible(block, ROWS, COLUMNS);
    int32_t index[P];
    int corners[P] = {0}, kinds = 0, broken = 0;

    for (int step = 0; step < 500; step++) {
        int seen[P] = {0};

        ck_assert_int_eq(maskdm_mask_draw(block, ROWS, COLUMNS, 1, 3, step, 1, index), MASKDM_OK);
        for (int64_t i = 0; i < visible; i++)
            seen[index[i]] = 1;
        for (int i = 0; i < P; i++) {
            const int first = i / COLUMNS / 2 * 2 * COLUMNS + i % COLUMNS / 2 * 2;

            broken += seen[i] != seen[first];
        }
        ck_assert_int_eq(maskdm_mask_draw(crop, ROWS, COLUMNS, 1, 3, step, 1, index), MASKDM_OK);
        corners[index[0]]++;
        for (int i = 0; i < 9; i++)
            broken += index[i] != index[0] + i / 3 * COLUMNS + i % 3;
    }
    ck_assert_int_eq(broken, 0);
    for (int i = 0; i < P; i++)
        kinds += corners[i] > 0;
    ck_assert_int_eq(kinds, (ROWS - 2) * (COLUMNS - 2));
    maskdm_mask_release(&block);
    maskdm_mask_release(&crop);
}
END_TEST

START_TEST(streams)
{
    maskdm_mask *m = make("type=patch ratio=0.5");
    int32_t all[8 * P / 2], one[P / 2];
    const size_t bytes = sizeof one;

    ck_assert_int_eq(maskdm_mask_draw(m, ROWS, COLUMNS, 9, 40, 5, 8, all), MASKDM_OK);
    ck_assert_int_eq(maskdm_mask_draw(m, ROWS, COLUMNS, 9, 43, 5, 1, one), MASKDM_OK);
    ck_assert_mem_eq(one, all + 3 * P / 2, bytes);
    ck_assert_mem_ne(one, all + 4 * P / 2, bytes);
    ck_assert_int_eq(maskdm_mask_draw(m, ROWS, COLUMNS, 9, 43, 6, 1, one), MASKDM_OK);
    ck_assert_mem_ne(one, all + 3 * P / 2, bytes);
    ck_assert_int_eq(maskdm_mask_draw(m, ROWS, COLUMNS, 10, 43, 5, 1, one), MASKDM_OK);
    ck_assert_mem_ne(one, all + 3 * P / 2, bytes);
    maskdm_mask_release(&m);
}
END_TEST

static void refuse(const char *options, int64_t rows, int64_t columns, const char *line)
{
    maskdm_mask *m = make(options);
    int32_t index[64];

    ck_assert_int_eq(maskdm_mask_visible(m, rows, columns), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), line);
    ck_assert_int_eq(maskdm_mask_draw(m, rows, columns, 0, 0, 0, 1, index), MASKDM_EINVAL);
    ck_assert(isnan(maskdm_mask_true_rate(m, rows, columns)));
    maskdm_mask_release(&m);
}

static void refuse_options(const char *options, const char *line)
{
    maskdm_options *o;
    maskdm_mask *m;

    ck_assert_int_eq(maskdm_options_create(&o, "mask"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, options), MASKDM_OK);
    ck_assert_int_eq(maskdm_mask_create(&m, o), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), line);
    maskdm_options_release(&o);
}

START_TEST(refusals)
{
    maskdm_mask *m = make("type=patch ratio=0.5");
    maskdm_options *o;
    int32_t index[4];

    refuse("type=block ratio=0.5 block_size=4", 16, 6, "blocks of 4 x 4 patches do not tile a grid of 16 x 6");
    refuse("type=grid cell_size=2", 4, 7, "cells of 2 x 2 patches do not tile a grid of 4 x 7");
    refuse("type=grid cell_size=2 cell_visible=5", 4, 8, "a cell of 2 x 2 patches has no 5 that could be visible");
    refuse("type=partition groups=3", 4, 4, "3 groups do not divide the 16 patches of a grid of 4 x 4");
    refuse("type=partition groups=3 cell_size=2", 6, 4, "3 groups do not divide the 4 patches of a cell of 2 x 2");
    refuse("type=partition groups=2 cell_size=4", 4, 6, "cells of 4 x 4 patches do not tile a grid of 4 x 6");
    refuse("type=crop crop_size=5", 4, 8, "a window of 5 x 5 patches does not fit into a grid of 4 x 8");
    refuse("type=patch ratio=1", 4, 4, "mask patch leaves no patch visible on a grid of 4 x 4 patches");
    refuse("type=patch ratio=0.5", 0, 4, "a grid of 0 x 4 patches is out of range");
    refuse("type=patch ratio=0.5", 1 << 20, 1 << 20, "a grid of 1048576 x 1048576 patches is out of range");
    ck_assert_int_eq(maskdm_mask_draw(m, 2, 2, 0, -1, 0, 1, index), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_mask_draw(m, 2, 2, 0, 0, 0, 1, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_mask_draw(m, 2, 2, 0, 0, 0, 0, NULL), MASKDM_OK);
    maskdm_mask_release(&m);
    ck_assert_int_eq(maskdm_options_create(&o, "mask"), MASKDM_OK);
    ck_assert_int_lt(maskdm_options_parse(o, "type=patch ratio=1.5"), 0);
    maskdm_options_release(&o);
    refuse_options("type=patch ratio_end=0.5", "ratio_end 0.5 without ratio_steps, over which it is reached");
    refuse_options("type=patch ratio_end=0.5 ratio_steps=9 steps=8",
                   "ratio_steps 9 is more than steps 8, behind which nothing is hidden");
    refuse_options("type=patch ratio_steps=9", "ratio_steps goes with ratio_end, which is not given");
    refuse_options("type=block ratio_curve=cosine", "ratio_curve goes with ratio_end, which is not given");
    refuse_options("type=block ratio_levels=9", "ratio_levels goes with ratio_end, which is not given");
    m = make("type=patch ratio=0.5 ratio_end=1 ratio_steps=8 ratio_levels=2");
    ck_assert_int_eq(maskdm_mask_visible_at(m, 4, 4, 3), 8);
    ck_assert_int_eq(maskdm_mask_visible_at(m, 4, 4, 4), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "mask patch leaves no patch visible on a grid of 4 x 4 patches");
    maskdm_mask_release(&m);
}
END_TEST

struct host {
    int64_t visible;
    int fault, dropped, calls;
    uint64_t random;
};

static int64_t host_visible(void *user, int64_t rows, int64_t columns)
{
    (void)rows;
    (void)columns;
    return ((struct host *)user)->visible;
}

/* fault: 1 cancels, 2 repeats an index, 3 leaves the range, 4 writes nothing. */
static int host_draw(void *user, uint64_t random, int64_t rows, int64_t columns, int32_t *index)
{
    struct host *h = user;

    h->calls++;
    h->random = random;
    if (h->fault == 4)
        return 0;
    for (int64_t i = 0; i < h->visible; i++)
        index[i] = (int32_t)(h->fault == 2 ? 0 : i);
    if (h->fault == 3)
        index[h->visible - 1] = (int32_t)(rows * columns);
    return h->fault == 1;
}

static void host_drop(void *user)
{
    ((struct host *)user)->dropped++;
}

START_TEST(a_policy_of_the_hosts_own)
{
    struct host h = {.visible = 3};
    maskdm_mask *m;
    int32_t index[6];
    uint64_t random;

    ck_assert_int_eq(maskdm_mask_create_custom(&m, "mine", host_visible, host_draw, host_drop, &h), MASKDM_OK);
    ck_assert_str_eq(maskdm_mask_name(m), "mine");
    ck_assert_int_eq(maskdm_mask_visible(m, 2, 3), 3);
    ck_assert_int_eq(maskdm_mask_draw(m, 2, 3, 1, 0, 0, 2, index), MASKDM_OK);
    ck_assert_int_eq(h.calls, 2);
    random = h.random;
    ck_assert_int_eq(maskdm_mask_draw(m, 2, 3, 1, 1, 0, 1, index), MASKDM_OK);
    ck_assert_uint_eq(h.random, random);
    ck_assert_int_eq(maskdm_mask_draw(m, 2, 3, 1, 2, 0, 1, index), MASKDM_OK);
    ck_assert_uint_ne(h.random, random);
    h.fault = 1;
    ck_assert_int_eq(maskdm_mask_draw(m, 2, 3, 1, 0, 0, 1, index), MASKDM_ECANCELED);
    for (h.fault = 2; h.fault <= 4; h.fault++)
        ck_assert_int_eq(maskdm_mask_draw(m, 2, 3, 1, 0, 0, 1, index), MASKDM_EINVAL);
    for (h.visible = -1; h.visible <= 7; h.visible++)
        ck_assert(maskdm_mask_visible(m, 2, 3) == (h.visible < 1 || h.visible > 6 ? MASKDM_EINVAL : h.visible));
    maskdm_mask_release(&m);
    ck_assert_int_eq(h.dropped, 1);
    ck_assert_int_eq(maskdm_mask_create_custom(&m, NULL, host_visible, host_draw, NULL, NULL), MASKDM_EINVAL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mask");
    TCase *c = tcase_create("mask");
    SRunner *r;
    int failed;

    tcase_add_test(c, counts);
    tcase_add_test(c, rates_and_names);
    tcase_add_test(c, draws_are_valid_and_even);
    tcase_add_test(c, cells_choose_for_themselves);
    tcase_add_test(c, groups_are_the_image);
    tcase_add_test(c, rates_that_change);
    tcase_add_test(c, levels_begin_where_their_steps_do);
    tcase_add_test(c, grids_that_no_cell_tiles);
    tcase_add_test(c, blocks_are_whole_and_windows_square);
    tcase_add_test(c, streams);
    tcase_add_test(c, refusals);
    tcase_add_test(c, a_policy_of_the_hosts_own);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
