# What is frozen into the image, and nothing else: no REPL helpers, no package manager.
module("rp2.py", base_path="$(PORT_DIR)/modules")  # noqa: F821
package("mesodrive_wire", base_path="$(BOARD_DIR)/../../firmware/shared", opt=0)  # noqa: F821
package("injector", base_path="$(BOARD_DIR)/../../firmware", opt=0)  # noqa: F821
module("board.py", base_path="$(BOARD_DIR)", opt=0)  # noqa: F821
module("drives.py", base_path="$(BOARD_DIR)", opt=0)  # noqa: F821
module("_boot.py", base_path="$(BOARD_DIR)/../../firmware")  # noqa: F821
module("main.py", base_path="$(BOARD_DIR)/../../firmware")  # noqa: F821
