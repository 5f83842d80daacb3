# Each part of the emulator in the folder at hand: from the C source that is there, or from a Python
# module and the types beside it. SUFFIX, HEADERS and PYTHON are those of build/venv.
SOURCES := $(wildcard *.c *.pxd)
PARTS := $(sort $(addsuffix $(SUFFIX),$(basename $(SOURCES))))

.DELETE_ON_ERROR:
all: $(PARTS)

%$(SUFFIX): %.c
	$(CC) -O2 -std=c99 -DNDEBUG -fwrapv -fPIC -shared -I$(HEADERS) $< -o $@

%.c: %.py %.pxd
	$(PYTHON) -m cython -3 -X annotation_typing=False -X cdivision=True $< -o $@
