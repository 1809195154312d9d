"""What nobody should give: of every type, now and then almost right."""

import numpy as np
from hypothesis import strategies as st

JUNK = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=3) | st.just(object())
    | st.lists(st.none() | st.integers() | st.text(max_size=3) | st.just("mail.send_message"), max_size=3)
    | st.dictionaries(st.text(max_size=2), st.integers(), max_size=2) | st.just(np.ones((2, 2))) | st.just(np.array(["a"])) | st.uuids()
    | st.builds(iter, st.just(["files.read_file"])) | st.just(ValueError("x")) | st.just(float) | st.sampled_from([np.float32(0.5), "stable"])
)  # fmt: skip
