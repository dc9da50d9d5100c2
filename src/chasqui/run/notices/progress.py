"""How far jobs are, told while they run. Not by letters: a percentage that was missed is told by the next one. How a
job ends is a letter (`catalog.jobs`), so that it arrives.
"""

from __future__ import annotations

import time

from sqlalchemy import select

from chasqui.catalog import Catalog
from chasqui.catalog.tables import Job, School
from chasqui.run.notices import encoded
from chasqui.run.notices.mqtt import Broker

#: As often as a bar moves that somebody looks at; the catalog is asked once for all jobs.
EVERY_S = 2.0
#: Smaller steps are not told.
STEP = 0.01
#: What a subscriber who was away does not need to hear any more.
EXPIRES_S = 60


class Progress:
    """Remembers what was told of each running job, and tells what is new."""

    def __init__(self, catalog: Catalog, broker: Broker) -> None:
        self._catalog, self._broker = catalog, broker
        self._told: dict[str, tuple[str | None, float]] = {}
        self._looked_s = 0.0

    def tell(self) -> int:
        """Look, if it is time; how many messages went.

        Raises:
            CatalogAway, ServiceDown
        """
        now = time.monotonic()
        if now - self._looked_s < EVERY_S or not self._broker.here:
            return 0
        self._looked_s = now
        fields = (Job.id, School.slug, Job.lesson_id, Job.recording_id, Job.stage, Job.done)
        wanted = select(*fields).join(School, School.id == Job.school_id).where(Job.state == "running")
        with self._catalog.reading() as db:
            rows = db.execute(wanted).all()
        messages, told = [], {}
        for job, school, lesson, recording, stage, done in rows:
            before = self._told.get(job)
            if before is not None and before[0] == stage and abs(done - before[1]) < STEP:
                told[job] = before
                continue
            told[job] = (stage, done)
            facts = {"id": job, "lesson_id": lesson, "recording_id": recording, "state": "running"}
            body = {"event": "job.progress", "school": school, "at_s": time.time()}
            body["job"] = facts | {"stage": stage, "done": done}
            messages.append((f"chasqui/{school}/jobs/{job}", encoded(body)))
        if messages:
            self._broker.publish_all(messages, expires_s=EXPIRES_S)
        self._told = told
        return len(messages)
