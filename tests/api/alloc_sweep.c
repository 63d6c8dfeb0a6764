/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No memory, at every place: each allocation of making, training, saving, loading and sampling is refused in turn,
 * alone and with all that follow. The call that met it says so and loses nothing: it is made once more and the rest
 * goes on, to the same weights and pictures, and nothing stays behind.
 */
#include "refuse.h"
#include "rig.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_JPEG
#  include <jpeglib.h>
#endif

/* Durability is another test's business, and would take most of this one's time. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

/* Refusals of a whole run that are tried, one in so many. */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 47 };
#else
enum { STRIDE = 13 };
#endif

static char folder[64];
static maskdm_device *dev;

static const char *path_to(const char *name)
{
    static char path[4][128];
    static int i;

    i = (i + 1) % 4;
    snprintf(path[i], sizeof path[i], "%s/%s", folder, name);
    return path[i];
}

/* ---- what is done, one call at a time ---- */

struct world {
    maskdm_options *network, *folder, *trainer, *sampler, *mask, *run, *draw;
    maskdm_scheduler *scheduler;
    maskdm_model *model, *loaded, *trained;
    maskdm_data *data;
    maskdm_mask *policy;
    maskdm_optimizer *optimizer;
    maskdm_control *control;
    maskdm_trainer *t;
    maskdm_sampler *s;
    maskdm_image *image, *picture, *hole;
    double loss;
    uint64_t result;
};

static void hear(void *user, int level, const char *line)
{
    (void)user;
    (void)level;
    (void)line;
}

/* A step is made again after it failed, so each makes only what is not there yet. */
#define MAKE(thing, kind, text)                                                                                      \
    static int make_##thing(struct world *w)                                                                         \
    {                                                                                                                \
        return w->thing ? MASKDM_OK : maskdm_options_create(&w->thing, kind);                                        \
    }                                                                                                                \
    static int set_##thing(struct world *w)                                                                          \
    {                                                                                                                \
        return maskdm_options_parse(w->thing, text);                                                                 \
    }

MAKE(network, "uvit", RIG_NETWORK)
MAKE(folder, "folder", "image_size=8 cache_limit=0 loaders=1")
MAKE(trainer, "trainer", "batch_size=2 accumulate=2")
MAKE(sampler, "sampler", "steps=2 batch_size=1")
MAKE(mask, "mask", "type=block ratio=0.5")

static int make_scheduler(struct world *w)
{
    return maskdm_scheduler_create(&w->scheduler, NULL);
}

static int make_model(struct world *w)
{
    return maskdm_model_create(&w->model, dev, "uvit", w->network, w->scheduler, 3);
}

static int save_model(struct world *w)
{
    return maskdm_model_save(w->model, path_to("model.safetensors"));
}

static int load_model(struct world *w)
{
    return maskdm_model_load(&w->loaded, dev, path_to("model.safetensors"));
}

static int open_data(struct world *w)
{
    return maskdm_data_open_folder(&w->data, dev, path_to("data"), w->folder, w->control);
}

static int make_mask_policy(struct world *w)
{
    return maskdm_mask_create(&w->policy, w->mask);
}

static int make_optimizer(struct world *w)
{
    return maskdm_optimizer_create(&w->optimizer, NULL, NULL);
}

static int make_control(struct world *w)
{
    int status = maskdm_control_create(&w->control);

    if (status >= 0)
        maskdm_control_set_log(w->control, hear, NULL);
    return status;
}

static int make_a_trainer(struct world *w)
{
    return maskdm_trainer_create(&w->t, w->loaded, w->policy, w->optimizer, w->trainer, w->control);
}

static int take_step(struct world *w)
{
    return maskdm_trainer_step(w->t, w->data);
}

static int validate(struct world *w)
{
    return maskdm_trainer_validate(w->t, w->data, 0, MASKDM_WEIGHTS_EMA, &w->loss, NULL, 0);
}

static int save_state(struct world *w)
{
    return maskdm_trainer_save(w->t, path_to("state.safetensors"));
}

static int load_state(struct world *w)
{
    return maskdm_trainer_load(w->t, path_to("state.safetensors"));
}

static int take_model(struct world *w)
{
    return maskdm_trainer_model(&w->trained, w->t);
}

static int make_a_sampler(struct world *w)
{
    return maskdm_sampler_create(&w->s, w->trained, MASKDM_WEIGHTS_EMA, w->sampler, w->control);
}

static int sample(struct world *w)
{
    unsigned char pixel[2 * RIG_VALUES];
    int status = maskdm_sampler_run(w->s, 2, NULL, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0);

    if (status >= 0)
        w->result = rig_hash(1469598103934665603u, pixel, sizeof pixel);
    return status;
}

/* Guided by a second model, or by the same in parts; all of it in one call. */
static int sample_guided(struct world *w, const char *how, int by_model)
{
    unsigned char pixel[2 * RIG_VALUES];
    maskdm_options *o = NULL;
    maskdm_sampler *s = NULL;
    int status = maskdm_options_create(&o, "sampler");

    if (status >= 0)
        status = maskdm_options_parse(o, how);
    if (status >= 0)
        status = by_model ? maskdm_sampler_create_guided(&s, w->trained, MASKDM_WEIGHTS_EMA, w->model,
                                                         MASKDM_WEIGHTS_EMA, o, w->control)
                          : maskdm_sampler_create(&s, w->trained, MASKDM_WEIGHTS_EMA, o, w->control);
    if (status >= 0)
        status = maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0);
    if (status >= 0)
        w->result = rig_hash(w->result, pixel, sizeof pixel);
    maskdm_sampler_release(&s);
    maskdm_options_release(&o);
    return status;
}

static int sample_by_model(struct world *w)
{
    return sample_guided(w, "steps=2 batch_size=2 guidance=2", 1);
}

static int sample_by_parts(struct world *w)
{
    return sample_guided(w, "steps=2 batch_size=2 guidance=2 guidance_by=masked", 0);
}

static int read_image(struct world *w)
{
    return maskdm_image_read(&w->image, path_to("data/0.png"), 3, NULL);
}

static int fit_image(struct world *w)
{
    return maskdm_image_fit(&w->picture, w->image, 5, 7);
}

static int write_image(struct world *w)
{
    return maskdm_image_write_png(w->picture, path_to("picture.png"), 16);
}

/* Of the image, at half strength and with a hole: from here on no run is like the first. */
static int set_start(struct world *w)
{
    return maskdm_sampler_set_start(w->s, (const maskdm_image *const *)&w->image, 1, 0.5);
}

static int read_hole(struct world *w)
{
    return w->hole ? MASKDM_OK : maskdm_image_read(&w->hole, path_to("data/0.png"), 1, NULL);
}

static int set_hole(struct world *w)
{
    maskdm_options *o;
    int status = maskdm_options_create(&o, "inpaint");

    if (status >= 0)
        status = maskdm_options_parse(o, "surround=1 resample=2 jump_length=1");
    if (status >= 0)
        status = maskdm_sampler_set_hole(w->s, (const maskdm_image *const *)&w->image, 1, w->hole, o);
    maskdm_options_release(&o);
    return status;
}

static int go_between(struct world *w)
{
    const uint64_t seed[] = {1, 2};
    unsigned char pixel[3 * RIG_VALUES];
    int status = maskdm_sampler_run_between(w->s, seed, 2, 3, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0);

    if (status >= 0)
        w->result = rig_hash(w->result, pixel, sizeof pixel);
    return status;
}

static int write_frames(struct world *w)
{
    const maskdm_image *frame[] = {w->picture, w->picture};

    return maskdm_image_write_apng(w->picture, frame, 2, 40, path_to("moving.png"), 8);
}

/* ---- the same in one call each ---- */

static int make_run(struct world *w)
{
    return w->run ? MASKDM_OK : maskdm_options_create(&w->run, "pretrain");
}

/* resume: what a refused call began may stand in the folder. */
static int set_run(struct world *w)
{
    char text[512];

    snprintf(text, sizeof text,
             "data=%s out=%s %s mask=patch mask_ratio=0.5 timesteps=20 batch_size=2 steps=2 save_every=1 log_every=1 "
             "val=%s val_every=1 threads=1 loaders=0 keep=1 resume=true",
             path_to("data"), path_to("run"), RIG_NETWORK, path_to("data"));
    return maskdm_options_parse(w->run, text);
}

static int pretrain(struct world *w)
{
    return maskdm_pretrain(NULL, w->run, NULL, NULL, w->control);
}

static int make_draw(struct world *w)
{
    return w->draw ? MASKDM_OK : maskdm_options_create(&w->draw, "sample");
}

/* No grid is enlarged: thousands are written. */
static int set_draw(struct world *w)
{
    char text[256];

    snprintf(text, sizeof text, "model=%s out=%s count=2 steps=1 threads=1 scale=1", path_to("run/model.safetensors"),
             path_to("grid.png"));
    return maskdm_options_parse(w->draw, text);
}

static int set_singles(struct world *w)
{
    char text[256];

    snprintf(text, sizeof text, "out=%s resume=true scale=0", path_to("singles"));
    return maskdm_options_parse(w->draw, text);
}

static int set_given(struct world *w)
{
    const char *picture = path_to("data/0.png");
    char text[1024];

    snprintf(text, sizeof text,
             "out=%s resume=false init_image=%s strength=1 inpaint=%s hole=%s animate=%s frames=2 scale=1",
             path_to("given.png"), picture, picture, picture, path_to("given-moving.png"));
    return maskdm_options_parse(w->draw, text);
}

static int draw_samples(struct world *w)
{
    return maskdm_sample(w->draw, w->control);
}

typedef int (*call)(struct world *w);

static const call parts[] = {make_network,   set_network,  make_scheduler, make_model,       save_model,
                             load_model,     make_folder,  set_folder,     make_control,     open_data,
                             make_mask,      set_mask,     make_trainer,   set_trainer,      make_mask_policy,
                             make_optimizer, make_a_trainer, take_step,    save_state,       take_step,
                             load_state,     take_step,    validate,       take_model,       make_sampler,
                             set_sampler,    make_a_sampler, sample,       sample_by_model,  sample_by_parts,
                             read_image,     fit_image,
                             write_image,    set_start,    read_hole,      set_hole,         go_between,
                             write_frames,   NULL};
static const call whole[] = {make_control, make_run,     set_run,     pretrain,     make_draw,
                             set_draw,     draw_samples, set_singles, draw_samples, draw_samples,
                             set_given,    draw_samples, NULL};

static void release_all(struct world *w)
{
    maskdm_options **o[] = {&w->network, &w->folder, &w->trainer, &w->sampler, &w->mask, &w->run, &w->draw};

    maskdm_image_release(&w->image);
    maskdm_image_release(&w->picture);
    maskdm_sampler_release(&w->s);
    maskdm_image_release(&w->hole);
    maskdm_trainer_release(&w->t);
    maskdm_control_release(&w->control);
    maskdm_optimizer_release(&w->optimizer);
    maskdm_mask_release(&w->policy);
    maskdm_data_release(&w->data);
    maskdm_model_release(&w->trained);
    maskdm_model_release(&w->loaded);
    maskdm_model_release(&w->model);
    maskdm_scheduler_release(&w->scheduler);
    for (size_t i = 0; i < sizeof o / sizeof *o; i++)
        maskdm_options_release(o[i]);
}

/* ---- files ---- */

static uint64_t hash_file(uint64_t h, const char *path)
{
    unsigned char bytes[4096];
    FILE *f = fopen(path, "rb");
    size_t n;

    ck_assert_msg(f != NULL, "%s is missing", path);
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        h = rig_hash(h, bytes, n);
    fclose(f);
    return h;
}

/* Remove a folder's files; how many there were, without the logs of starts that left nothing else. */
static int clear_folder(const char *path)
{
    char name[512];
    struct dirent *e;
    int n = 0;
    DIR *d = opendir(path);

    if (!d)
        return 0;
    while ((e = readdir(d)))
        if (e->d_name[0] != '.' || e->d_name[1] > '.') {
            snprintf(name, sizeof name, "%s/%s", path, e->d_name);
            n += unlink(name) == 0 && strncmp(e->d_name, "log-", 4) != 0;
        }
    closedir(d);
    rmdir(path);
    return n;
}

static void write_png(const char *name, int k)
{
    unsigned char pixel[RIG_VALUES];
    maskdm_image *m;

    for (int i = 0; i < RIG_VALUES; i++)
        pixel[i] = (unsigned char)(k * 40 + i);
    MUST(maskdm_image_create(&m, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, MASKDM_SAMPLE_U8, pixel, 0));
    MUST(maskdm_image_write_png(m, path_to(name), 8));
    maskdm_image_release(&m);
}

#ifdef HAVE_JPEG
static void write_jpeg(const char *name)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr e;
    unsigned char pixel[RIG_SIDE * RIG_CHANNELS];
    FILE *f = fopen(path_to(name), "wb");

    ck_assert_ptr_nonnull(f);
    c.err = jpeg_std_error(&e);
    jpeg_create_compress(&c);
    jpeg_stdio_dest(&c, f);
    c.image_width = c.image_height = RIG_SIDE;
    c.input_components = RIG_CHANNELS;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_simple_progression(&c); /* the way that allocates most */
    jpeg_start_compress(&c, TRUE);
    for (int y = 0; y < RIG_SIDE; y++) {
        unsigned char *row = pixel;
        for (int x = 0; x < RIG_SIDE * RIG_CHANNELS; x++)
            pixel[x] = (unsigned char)(x * 9 + y * 17);
        jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    fclose(f);
}
#endif

/* ---- the sweep ---- */

struct outcome {
    uint64_t result;
    int files, hits;
};

/* What the calls left, in memory and in the folder. */
static void gather(const call *calls, struct world *w, struct outcome *o)
{
    o->result = w->result;
    o->files = 0;
    if (calls == whole) {
        o->result = hash_file(o->result, path_to("run/model.safetensors"));
        o->result = hash_file(o->result, path_to("grid.png"));
        o->files += clear_folder(path_to("run"));
    } else {
        o->result = rig_hash(o->result, &w->loss, sizeof w->loss);
        o->result = hash_file(o->result, path_to("state.safetensors"));
        o->result = hash_file(o->result, path_to("picture.png"));
        o->result ^= rig_model_hash(w->trained);
    }
    o->files += clear_folder(path_to("."));
}

/* Whether the call failed, which only a refused allocation excuses; nothing more is refused then. */
static int failed(struct world *w, call c, int number, long at)
{
    int status = c(w), hits;

    if (status >= 0)
        return 0;
    hits = refuse_disarm();
    ck_assert_msg(hits > 0 && status == MASKDM_ENOMEM && maskdm_last_error()[0],
                  "call %d, with allocation %ld refused (%d in all): %s: %s", number, at, hits,
                  maskdm_status_name(status), maskdm_last_error());
    return 1;
}

/* Every call is made over and over, each time with one more allocation granted, until nothing is refused. One that
 * succeeds in spite of a refusal has moved on, and goes on in the next round. Returns the calls of which that is
 * true. */
static int walk(const call *calls, struct world *w, long *from, int sticky, long *refusals)
{
    int moved = 0;

    for (int i = 0; calls[i]; i++)
        for (int again = 1; again;) {
            int hits;

            refuse_arm(from[i], sticky);
            again = failed(w, calls[i], i, from[i]);
            hits = refuse_disarm();
            from[i] += hits > 0;
            *refusals += hits > 0;
            moved += hits > 0 && !again;
        }
    return moved;
}

/* The calls with nothing refused, three times, so that caches of the C library are full. */
static struct outcome undisturbed(const call *calls)
{
    struct outcome o = {0};

    for (int k = 0; k < 3; k++) {
        struct world w = {0};
        long live = refuse_live();

        for (int i = 0; calls[i]; i++)
            ck_assert(!failed(&w, calls[i], i, -1));
        gather(calls, &w, &o);
        release_all(&w);
        ck_assert(k == 0 || refuse_live() == live);
    }
    return o;
}

static void expect_same(const struct outcome *got, const struct outcome *want, long live, long at)
{
    ck_assert_msg(got->result == want->result, "other results after a refusal, the last of allocation %ld", at);
    ck_assert_msg(got->files == want->files, "%d files in place of %d after a refusal, the last of allocation %ld",
                  got->files, want->files, at);
    ck_assert_msg(refuse_live() == live, "%ld blocks stayed after a refusal, the last of allocation %ld",
                  refuse_live() - live, at);
    ck_assert_uint_eq(maskdm_device_memory_used(dev), 0);
}

static void sweep_parts(int sticky)
{
    struct outcome want = undisturbed(parts), got;
    long from[sizeof parts / sizeof *parts] = {0}, refusals = 0;
    int moved;

    do {
        struct world w = {0};
        long live = refuse_live();

        moved = walk(parts, &w, from, sticky, &refusals);
        gather(parts, &w, &got);
        release_all(&w);
        expect_same(&got, &want, live, refusals);
    } while (moved);
    printf("%ld refusals\n", refusals);
}

/* A whole run goes on from what a refused one left, so each refusal gets a run of its own. */
static void sweep_whole(int sticky, long first, long stride)
{
    struct outcome want = undisturbed(whole), got;
    long n = first;
    int hits;

    do {
        struct world w = {0};
        long live = refuse_live();

        hits = 0;
        refuse_arm(n, sticky);
        for (int i = 0; whole[i]; i++)
            while (failed(&w, whole[i], i, n))
                hits++;
        hits += refuse_disarm();
        gather(whole, &w, &got);
        release_all(&w);
        expect_same(&got, &want, live, n);
        n += stride;
    } while (hits);
    printf("%ld allocations\n", n);
}

static void prepare(void)
{
    strcpy(folder, "alloc_sweep_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(mkdir(path_to("data"), 0777), 0);
    write_png("data/0.png", 0);
#ifdef HAVE_JPEG
    write_jpeg("data/1.jpg");
#else
    write_png("data/1.png", 1);
#endif
    dev = rig_device("threads=1");
}

static void clean_up(void)
{
    char command[128];

    maskdm_device_release(&dev);
    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(test_parts)
{
    prepare();
    sweep_parts(0);
    sweep_parts(1);
    clean_up();
}
END_TEST

START_TEST(test_whole)
{
    prepare();
    sweep_whole(0, 0, STRIDE);
    sweep_whole(1, STRIDE / 2, STRIDE);
    clean_up();
}
END_TEST

int main(void)
{
    const TTest *test[] = {test_parts, test_whole};

    refuse_begin();
    return rig_run("alloc_sweep", test, sizeof test / sizeof *test);
}
