/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No memory while images are packed: each allocation is refused in turn, alone and with all that follow. What was
 * refused has no packed file, what stands under its name is never taken for images, nothing stays in memory, and the
 * same call once more, going on with what is there, gives the same bytes.
 */
#include "refuse.h"
#include "rig.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Durability is another test's business. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

enum { IMAGES = 3 };

static char folder[64];

static const char *path_to(const char *name)
{
    static char path[4][128];
    static int i;

    i = (i + 1) % 4;
    snprintf(path[i], sizeof path[i], "%s/%s", folder, name);
    return path[i];
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(path_to(name), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    fclose(f);
}

/* Pictures, in two sources with labels of a file. */
static void prepare(void)
{
    unsigned char pixel[RIG_VALUES];
    char name[32];

    strcpy(folder, "pack_sweep_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(mkdir(path_to("data"), 0777), 0);
    for (int k = 0; k < IMAGES; k++) {
        maskdm_image *m;

        for (int i = 0; i < RIG_VALUES; i++)
            pixel[i] = (unsigned char)(k * 40 + i);
        snprintf(name, sizeof name, "data/%d.png", k);
        MUST(maskdm_image_create(&m, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, MASKDM_SAMPLE_U8, pixel, 0));
        MUST(maskdm_image_write_png(m, path_to(name), 8));
        maskdm_image_release(&m);
    }
    write_text("labels", "0.png 4\n1.png 2\n2.png 0\n");
    write_text("mix.json", "{\"sources\": [{\"data\": \"data\", \"labels\": \"labels\"}, {\"data\": \"data\"}]}");
}

static maskdm_options *options(const char *loaders)
{
    maskdm_options *o = NULL;
    char text[512];

    snprintf(text, sizeof text, "data=%s out=%s resume=true loaders=%s", path_to("mix.json"),
             path_to("x.safetensors"), loaders);
    MUST(maskdm_options_create(&o, "pack"));
    MUST(maskdm_options_parse(o, text));
    return o;
}

static uint64_t hash_file(const char *path)
{
    unsigned char bytes[1 << 15];
    FILE *f = fopen(path, "rb");
    size_t n;

    ck_assert_msg(f != NULL, "%s is missing", path);
    n = fread(bytes, 1, sizeof bytes, f);
    ck_assert(n < sizeof bytes);
    fclose(f);
    return rig_hash(1469598103934665603u, bytes, n);
}

static void expect_nothing(long at)
{
    maskdm_data *data = NULL;

    ck_assert_msg(access(path_to("x.safetensors"), F_OK) != 0, "a file in spite of refusal %ld", at);
    if (access(path_to("x.safetensors.part"), F_OK) == 0)
        ck_assert_msg(maskdm_data_open_folder(&data, NULL, path_to("x.safetensors.part"), NULL, NULL) < 0,
                      "half a file is taken for images, refusal %ld", at);
    ck_assert_ptr_null(data);
}

/* How many refusals there were. */
static long sweep(const char *loaders, int sticky, uint64_t want, long stride)
{
    long n = 0, live;
    int hits;

    do {
        maskdm_options *o = options(loaders);
        int status;

        live = refuse_live();
        refuse_arm(n, sticky);
        status = maskdm_pack(o, NULL);
        hits = refuse_disarm();
        ck_assert_msg(status >= 0 || (hits && status == MASKDM_ENOMEM), "refusal %ld: %s: %s", n,
                      maskdm_status_name(status), maskdm_last_error());
        if (status < 0) {
            expect_nothing(n);
            MUST(maskdm_pack(o, NULL));
        }
        ck_assert_msg(hash_file(path_to("x.safetensors")) == want, "other bytes after refusal %ld", n);
        ck_assert_msg(refuse_live() == live, "%ld blocks stayed after refusal %ld", refuse_live() - live, n);
        ck_assert(access(path_to("x.safetensors.part"), F_OK) != 0);
        ck_assert_int_eq(unlink(path_to("x.safetensors")), 0);
        maskdm_options_release(&o);
        n += stride;
    } while (hits);
    return n;
}

START_TEST(refusals_leave_no_half_file)
{
    static const char *const loaders[] = {"0", "1"};
    maskdm_options *o;
    char command[128];
    uint64_t want = 0;

    prepare();
    for (int k = 0; k < 3; k++) { /* so that caches of the C library are full */
        o = options(loaders[k % 2]);
        MUST(maskdm_pack(o, NULL));
        want = hash_file(path_to("x.safetensors"));
        ck_assert_int_eq(unlink(path_to("x.safetensors")), 0);
        maskdm_options_release(&o);
    }
    for (int k = 0; k < 2; k++)
        for (int sticky = 0; sticky < 2; sticky++)
            ck_assert_int_gt(sweep(loaders[k], sticky, want, k ? 3 : 1), 50);
    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    const TTest *test[] = {refusals_leave_no_half_file};

    refuse_begin();
    return rig_run("pack_sweep", test, sizeof test / sizeof *test);
}
