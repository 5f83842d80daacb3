# Each part of the emulator from the C source beside it; SUFFIX and HEADERS are this Python's.
PARTS := $(patsubst %.c,%$(SUFFIX),$(wildcard *.c))

.DELETE_ON_ERROR:
all: $(PARTS)

%$(SUFFIX): %.c
	$(CC) -O2 -std=c99 -DNDEBUG -fwrapv -fPIC -shared -I$(HEADERS) $< -o $@
